# METADATA
# title: Second
# custom:
#   code: WR1001
#   severity: LOW
#   kinds: [Pod]
package writ.second

deny contains "no owner" if not input.review.object.metadata.labels.owner
