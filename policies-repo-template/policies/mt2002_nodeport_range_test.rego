package writ.policy_nodeport_range_test

import data.writ.policy_nodeport_range.deny

service(ports) := {
	"kind": {"kind": "Service"},
	"operation": "CREATE",
	"namespace": "shop",
	"object": {"metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": ports}},
}

namespace(annotations) := {"kind": "Namespace", "metadata": {"name": "shop", "annotations": annotations}}

allowing(annotation) := namespace({"k8s.t-mobile.com/nodeportRange": annotation})

# A service with one node port, in a namespace with this annotation.
using(node_port, annotation) := {
	"review": service([{"name": "http", "port": 80, "nodePort": node_port}]),
	"namespaceObject": allowing(annotation),
}

outside(node_port) := sprintf("nodePort %v is out of defined range for Service \"web\"", [node_port])

malformed := {"Invalid data in nodePort annotation in \"shop\" namespace"}

test_single_port if {
	count(deny) == 0 with input as using(30000, "30000")
	deny == {outside(30001)} with input as using(30001, "30000")
}

test_range_includes_both_ends if {
	every node_port in [30000, 30050, 30100] {
		count(deny) == 0 with input as using(node_port, "30000-30100")
	}
	every node_port in [29999, 30101] {
		deny == {outside(node_port)} with input as using(node_port, "30000-30100")
	}
}

test_lists_of_ports_and_ranges if {
	every node_port in [30000, 30100, 30105, 30110, 31000] {
		count(deny) == 0 with input as using(node_port, "30000,30100-30110,31000")
	}
	every node_port in [30001, 30099, 30111, 30999, 31001] {
		deny == {outside(node_port)} with input as using(node_port, "30000,30100-30110,31000")
	}
}

test_blanks_anywhere_between if {
	every annotation in [" 30000 - 30100 ", "30000 -30100", " 30005,", ",30005", "1, 30000- 30100 , 2", "30005\t"] {
		count(deny) == 0 with input as using(30005, annotation)
	}
}

test_reversed_range_holds_nothing if {
	deny == {outside(30005)} with input as using(30005, "30010-30000")
}

test_na_allows_every_port if {
	every annotation in ["na", "NA", "Na", " na "] {
		count(deny) == 0 with input as using(32767, annotation)
	}
}

test_malformed_annotation_fails if {
	every annotation in [
		"", " ", ",", "-", "any", "n/a", "30000-", "-30000", "30000--30100", "30000-30100-30200", "30000;30001",
		"30000 30001", "30000,any", "0x7530", "3e4", "30000.5", 30000, true, [], {},
	] {
		deny == malformed with input as using(30000, annotation)
	}
}

test_absent_annotation_allows_every_port if {
	review := service([{"port": 80, "nodePort": 32767}])
	count(deny) == 0 with input as {"review": review, "namespaceObject": namespace({"team": "shop"})}
	count(deny) == 0 with input as {"review": review, "namespaceObject": namespace(null)}
	count(deny) == 0 with input as {"review": review, "namespaceObject": {"metadata": {"name": "shop"}}}
	count(deny) == 0 with input as using(32767, null)
}

test_unknown_namespace_is_said if {
	unknown := {"Namespace \"shop\" is not known yet, so its nodePort annotation cannot be checked"}
	review := service([{"port": 80, "nodePort": 30000}])
	deny == unknown with input as {"review": review}
	deny == unknown with input as {"review": review, "namespaceObject": null}
	deny == unknown with input as {"review": review, "namespaceObject": {}}
}

test_every_port_is_judged if {
	deny == {outside(29000), outside(31000)} with input as {
		"review": service([{"nodePort": 30000}, {"nodePort": 31000}, {"nodePort": 29000}, {"port": 80}]),
		"namespaceObject": allowing("30000-30100"),
	}
}

test_port_that_is_yet_to_be_chosen_passes if {
	every port in [{"port": 80}, {"port": 80, "nodePort": 0}, {"port": 80, "nodePort": null}] {
		count(deny) == 0 with input as {"review": service([port]), "namespaceObject": allowing("30000")}
	}
}

test_odd_types_do_not_hide_a_port if {
	every node_port in ["30000", "text", "", true, [30000]] {
		deny == {outside(node_port)} with input as using(node_port, "30000")
	}
	deny == {outside(31000)} with input as {"review": service({"nodePort": 31000}), "namespaceObject": allowing("30000")}
}

test_services_of_other_types_pass if {
	every type in ["ClusterIP", "LoadBalancer", "ExternalName", null] {
		review := {"namespace": "shop", "object": {"spec": {"type": type, "ports": [{"nodePort": 31000}]}}}
		count(deny) == 0 with input as {"review": review, "namespaceObject": allowing("30000")}
	}
}

test_update_is_judged_and_deletion_is_not if {
	review := service([{"nodePort": 31000}])
	deny == {outside(31000)} with input as {
		"review": object.union(review, {"operation": "UPDATE"}),
		"namespaceObject": allowing("30000"),
	}
	count(deny) == 0 with input as {
		"review": object.union(review, {"operation": "DELETE"}),
		"namespaceObject": allowing("any"),
	}
}
