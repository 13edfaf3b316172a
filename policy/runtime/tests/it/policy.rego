# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
package writ.short_names

deny contains "too long" if count(input.review.object.metadata.name) > 3

deny contains "not for this namespace" if input.namespaceObject.metadata.labels.closed
