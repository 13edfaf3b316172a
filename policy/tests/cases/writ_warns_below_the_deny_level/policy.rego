# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: LOW
#   kinds: [Pod]
package writ.short_names

deny contains "too long" if true

deny contains msg if msg := "and odd"
