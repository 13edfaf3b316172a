# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
#   parameters: {longest: 3, forbidden: [web]}
package writ.short_names

deny contains msg if msg := sprintf("%v", [input.parameters])
