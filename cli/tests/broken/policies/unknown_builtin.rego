# METADATA
# title: Fourth
# custom:
#   code: WR1004
#   severity: LOW
#   kinds: [Pod]
package writ.fourth

deny contains msg if {
	name := lower_case(input.review.name)
	msg := sprintf("name %s", [name])
}
