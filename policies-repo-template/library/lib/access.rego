# METADATA
# title: Accounts and what is granted to them
# description: Functions only, which cost nothing until they are called.
package writ.lib.access

import data.lib.fields

# The account that a pod acts as. "serviceAccount" is the field's old name.
service_account(spec) := name if {
	name := spec.serviceAccountName
	not name in {"", null}
}

else := name if {
	name := spec.serviceAccount
	not name in {"", null}
}

else := "default"

# Which of these dangers a rule grants, as [resource, verb]. A danger is {group, resource, verbs}.
granted(rule, dangers) := {[danger.resource, verb] |
	some danger in dangers
	holds(fields.list_in(rule, "apiGroups"), danger.group)
	covers(fields.list_in(rule, "resources"), danger.resource)
	some verb in danger.verbs
	holds(fields.list_in(rule, "verbs"), verb)
}

holds(list, wanted) if {
	some item in list
	item in {"*", wanted}
}

covers(list, wanted) if holds(list, wanted)

# "*/token" is the sub-resource of every kind.
covers(list, wanted) if {
	[_, sub] := split(wanted, "/")
	concat("", ["*/", sub]) in list
}
