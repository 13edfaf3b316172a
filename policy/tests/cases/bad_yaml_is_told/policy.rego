# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
package writ.short_names

deny contains {"msg": "too long"} if count(input.review.object.metadata.name) > 3
