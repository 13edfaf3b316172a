# METADATA
# title: First
# custom:
#   code: WR1001
#   severity: LOW
#   kinds: [Pod]
package writ.first

import data.teams.absent.owners

deny contains "no owner" if not owners[input.review.namespace]
