# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
package writ.short_names

deny := {1} if input.review.object.metadata.name == "other"
