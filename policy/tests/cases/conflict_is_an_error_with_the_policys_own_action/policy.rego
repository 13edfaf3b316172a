# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
#   on_error: allow
package writ.short_names

deny contains x if x := clash

clash := "a" if true

clash := "b" if input.review.object
