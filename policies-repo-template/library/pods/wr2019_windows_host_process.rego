# METADATA
# title: Windows pods do not run on the host itself
# description: >-
#   A HostProcess container is no container: it is a process of the Windows node with the rights of its user.
# custom:
#   code: WR2019
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted, cis-5.2.11]
package writ.windows_host_process

import data.writ.lib.pods

deny contains msg if {
	is_host_process(pods.spec)
	msg := "Pod runs as processes of the Windows host: hostProcess is set"
}

deny contains msg if {
	some container in pods.containers
	is_host_process(container.item)
	msg := sprintf("Container \"%s\" runs as a process of the Windows host: hostProcess is set", [container.name])
}

is_host_process(owner) if {
	value := owner.securityContext.windowsOptions.hostProcess
	not value in {false, null}
}
