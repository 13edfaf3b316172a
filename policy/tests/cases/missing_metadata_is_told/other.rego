# METADATA
# title: No custom
package writ.worse

deny(x) := x
