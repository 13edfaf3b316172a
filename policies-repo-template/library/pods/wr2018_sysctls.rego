# METADATA
# title: Pods set only safe sysctls
# description: >-
#   A sysctl that has no namespace changes the node for all its pods.
# custom:
#   code: WR2018
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted]
#   parameters:
#     allowed:
#       - kernel.shm_rmid_forced
#       - net.ipv4.ip_local_port_range
#       - net.ipv4.ip_unprivileged_port_start
#       - net.ipv4.tcp_syncookies
#       - net.ipv4.ping_group_range
#       - net.ipv4.ip_local_reserved_ports
#       - net.ipv4.tcp_keepalive_time
#       - net.ipv4.tcp_fin_timeout
#       - net.ipv4.tcp_keepalive_intvl
#       - net.ipv4.tcp_keepalive_probes
#       - net.ipv4.tcp_rmem
#       - net.ipv4.tcp_wmem
package writ.sysctls

import data.lib.fields
import data.writ.lib.pods

deny contains msg if {
	some index
	sysctl := pods.spec.securityContext.sysctls[index]
	not is_allowed(sysctl)
	msg := sprintf("Pod sets sysctl %s", [fields.item_name(sysctl, "sysctls", index)])
}

is_allowed(sysctl) if sysctl.name in input.parameters.allowed
