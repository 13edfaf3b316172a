# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
#   on_error: warn
package writ.short_names

deny contains {"message": "typo"} if true
