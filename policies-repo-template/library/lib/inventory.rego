# METADATA
# title: Replicated objects
# description: >-
#   What fleet.yaml names below "sync" and the agent replicates, in the form
#   data.inventory.namespace[namespace][apiVersion][kind][name]. Every rule of a package is evaluated when one of them is
#   asked for: these two only look, functions cost nothing until they are called.
package writ.lib.inventory

# Whether anything with a namespace is replicated.
is_there if is_object(data.inventory.namespace)

# Everything by namespace; empty when nothing is replicated.
namespaces := found if found := data.inventory.namespace

else := {}

# The objects of a kind in a namespace, by name; empty when there are none.
namespaced(namespace, api_version, kind) := found if found := namespaces[namespace][api_version][kind]

else := {}

# What to add to a message when the data is missing.
hint(kind) := "" if is_there

else := sprintf(" (nothing is replicated: add %s to sync in fleet.yaml)", [kind])
