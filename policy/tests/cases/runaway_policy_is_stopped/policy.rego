# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
package writ.short_names

deny contains "never" if {
	some a in numbers.range(1, 3000)
	some b in numbers.range(1, 3000)
	a * b == -1
}
