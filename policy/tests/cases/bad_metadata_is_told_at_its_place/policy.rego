# METADATA
# title: ""
# custom:
#   code: wr1
#   severity: HIHG
#   kinds: [Deployment, apps/v1/StatefulSet, "*"]
#   on_error: ignore
package writ.bad

allow := true
