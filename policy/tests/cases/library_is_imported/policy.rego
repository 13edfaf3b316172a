# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
package writ.short_names

import data.lib.names

deny contains "too long" if names.is_long(input.review.object.metadata.name)
