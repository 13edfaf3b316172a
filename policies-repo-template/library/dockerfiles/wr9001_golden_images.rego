# METADATA
# title: Dockerfiles build on golden images
# description: >-
#   Conftest's dialect over a parsed Dockerfile, with the list in data.golden_images.images (--data golden.yaml). Judges
#   what an image is built from, so nothing here is asked at admission.
package dockerfiles.golden_images

deny contains {"msg": msg, "code": "WR9001"} if {
	some line in input
	some image in taken(line)
	not is_golden(image)
	msg := sprintf("%s takes %s, which is no golden image%s (WR9001)", [upper(line.Cmd), image, hint])
}

# The images that a line takes something from: the base of a stage, or files of another image.
taken(line) := {resolved(line.Value[0])} if lower(line.Cmd) == "from"

else := {resolved(image) |
	some flag in line.Flags
	image := regex.find_all_string_submatch_n(`^--(?:mount=(?:.*,)?)?from=([^,]+)`, flag, 1)[0][1]
}

# Stages of the same file and the empty image bring nothing from outside.
is_golden(image) if lower(image) in names_of_stages

else if regex.match(`^[0-9]+$|^scratch$`, image)

else if {
	some golden in listed
	is_in(image, golden)
}

# An entry names a repository (any tag and digest), one tag of it, or with a slash at its end everything below it.
is_in(image, golden) if image == golden

else if {
	endswith(golden, "/")
	golden != "/"
	startswith(image, golden)
}

else if {
	golden != ""
	substring(image, 0, count(golden)) == golden
	substring(image, count(golden), 1) in {":", "@"}
}

names_of_stages := {lower(line.Value[2]) |
	some line in input
	lower(line.Cmd) == "from"
	lower(line.Value[1]) == "as"
}

# Arguments before the first FROM have their defaults, as in a build without --build-arg. One that has none stays as it
# is written, and is golden by no list.
resolved(image) := strings.replace_n(defaults, regex.replace(image, `\$([A-Za-z_][A-Za-z0-9_]*)`, "$${${1}}"))

defaults[pattern] := value if {
	some line in array.slice(input, 0, first_stage)
	lower(line.Cmd) == "arg"
	parts := split(line.Value[0], "=")
	count(parts) > 1
	value := trim(concat("=", array.slice(parts, 1, count(parts))), "\"'")
	pattern := sprintf("${%s}", [parts[0]])
}

first_stage := min({number | some number, line in input; lower(line.Cmd) == "from"})

listed := data.golden_images.images

hint := "" if count(listed) > 0

else := ": data.golden_images.images is empty or absent, give it by --data"
