package lib.chicken

import data.lib.egg

hatched(name) if egg.laid(name)
