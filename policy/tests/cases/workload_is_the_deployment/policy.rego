# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
package writ.short_names

deny contains "x" if input.review.object.nothing
