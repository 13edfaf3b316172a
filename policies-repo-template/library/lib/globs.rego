# METADATA
# title: Names and globs
# description: A glob is a name with a star at its end. Functions only, which cost nothing until they are called.
package writ.lib.globs

matches_any(name, globs) if {
	some glob in globs
	matches(name, glob)
}

matches(name, glob) if name == glob

matches(name, glob) if {
	endswith(glob, "*")
	startswith(name, trim_suffix(glob, "*"))
}
