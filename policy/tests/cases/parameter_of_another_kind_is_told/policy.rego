# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
#   parameters: {allowed: ["a"], most: 3, any: null}
package writ.short_names

deny contains "no" if input.parameters.most > 3
