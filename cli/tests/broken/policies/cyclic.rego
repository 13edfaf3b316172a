# METADATA
# title: Third
# custom:
#   code: WR1003
#   severity: LOW
#   kinds: [Pod]
package writ.third

import data.lib.chicken

deny contains "hatched" if chicken.hatched(input.review.name)
