package lib.names

is_long(name) if count(name) > 3
