libknarr_a_SOURCES +=
