package dockerfiles.golden_images_test

import data.dockerfiles.golden_images.deny

golden := {"images": ["registry.example/base/", "registry.example/jdk", "registry.example/node:22"]}

line(cmd, value, flags) := {"Cmd": cmd, "Flags": flags, "JSON": false, "Value": value, "Stage": 0, "SubCmd": ""}

from(value) := line("from", value, [])

arg(value) := line("arg", [value], [])

said(image) := {{"code": "WR9001", "msg": sprintf("FROM takes %s, which is no golden image (WR9001)", [image])}}

test_golden_images_pass if {
	every image in [
		"registry.example/base/debian:12", "registry.example/base/a/b", "registry.example/jdk", "registry.example/jdk:21",
		"registry.example/jdk@sha256:00", "registry.example/node:22", "registry.example/node:22@sha256:00", "scratch",
	] {
		count(deny) == 0 with input as [from([image])] with data.golden_images as golden
	}
}

test_other_images_fail if {
	every image in [
		"debian:12", "registry.example/jdk-extra", "registry.example/node:22-slim", "registry.example/node", "registry.example/base",
		"evil.example/registry.example/jdk", "Scratch/x", "",
	] {
		deny == said(image) with input as [from([image])] with data.golden_images as golden
	}
}

test_stages_of_the_file_pass_and_their_bases_are_judged if {
	lines := [from(["registry.example/jdk:21", "AS", "Build"]), from(["build", "as", "test"]), from(["debian", "AS", "run"])]
	deny == said("debian") with input as lines with data.golden_images as golden
}

test_copied_and_mounted_images_count if {
	stages := [from(["registry.example/jdk", "AS", "build"])]
	every flag in ["--from=nginx", "--mount=type=bind,from=nginx,target=/x", "--mount=from=nginx"] {
		count(deny) == 1 with input as array.concat(stages, [line("run", ["x"], [flag])]) with data.golden_images as golden
	}
	every flag in ["--from=build", "--from=0", "--chown=from=1", "--mount=type=cache,target=/x"] {
		count(deny) == 0 with input as array.concat(stages, [line("copy", ["a", "b"], [flag])]) with data.golden_images as golden
	}
}

test_defaults_of_arguments_are_filled_in if {
	every default_value in ["registry.example/jdk", "\"registry.example/jdk\""] {
		count(deny) == 0 with input as [arg(sprintf("BASE=%s", [default_value])), from(["${BASE}:21"])] with data.golden_images as golden
	}
	count(deny) == 0 with input as [arg("BASE=registry.example/jdk"), from(["$BASE:21"])] with data.golden_images as golden
	deny == said("debian:12") with input as [arg("TAG=12"), from(["debian:${TAG}"])] with data.golden_images as golden
}

test_argument_without_default_or_of_a_stage_is_no_golden_image if {
	every image in ["${BASE}", "$BASE", "$BASES"] {
		count(deny) == 1 with input as [arg("BASE"), from([image])] with data.golden_images as golden
	}
	lines := [from(["registry.example/jdk"]), arg("BASE=registry.example/jdk"), from(["${BASE}"])]
	count(deny) == 1 with input as lines with data.golden_images as golden
}

test_without_a_list_nothing_is_golden_and_the_message_says_so if {
	every empty in [{"images": []}, {}] {
		some found in deny with input as [from(["debian"])] with data.golden_images as empty
		contains(found.msg, "data.golden_images.images")
	}
	count(deny) == 1 with input as [from(["debian"])]
}

test_entries_that_say_nothing_approve_nothing if {
	count(deny) == 1 with input as [from(["debian"])] with data.golden_images as {"images": ["", "/"]}
}

test_nothing_to_judge_passes if {
	every lines in [[], [arg("A=1")], [line("run", ["x"], [])]] {
		count(deny) == 0 with input as lines with data.golden_images as golden
	}
}
