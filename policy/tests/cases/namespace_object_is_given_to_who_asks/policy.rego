# METADATA
# title: Names are short
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
package writ.short_names

deny contains msg if msg := input.namespaceObject.metadata.labels.team
