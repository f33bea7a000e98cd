/* Theory of operation: see mountinfo.h. A line is
 *
 *   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
 *   id parent dev root point options [tags…] - type source options
 *
 * where space, tab, newline and backslash in a path are \ooo. */
#include "base/mountinfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

static void
unescape(char *s)
{
	char *out = s;

	for (; *s; out++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*out = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out = *s++;
		}
	}
	*out = '\0';
}

/* The next word of *rest, cut out of it; "" at the end. */
static char *
word(char **rest)
{
	char *w = strsep(rest, " ");

	return w ? w : (char *)"";
}

static void
parse_line(char *line, struct mountinfo_line *l)
{
	char *rest = line, *tag;

	l->id = strtoull(word(&rest), NULL, 10);
	word(&rest);
	word(&rest);
	l->root = word(&rest);
	l->point = word(&rest);
	do
		tag = word(&rest);
	while (rest && strcmp(tag, "-") != 0);
	l->type = word(&rest);
	word(&rest);
	l->options = word(&rest);
	unescape(l->root);
	unescape(l->point);
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int
mountinfo_read(pid_t pid, struct arena *a, struct err *err, struct mountinfo *ret_info)
{
	char path[64] = "/proc/self/mountinfo", *data, *text, *line;
	struct mountinfo m = { 0 };
	size_t len, max;
	int r;

	if (pid > 0)
		snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	r = fd_read_file_at(AT_FDCWD, path, TEXT_MAX, &data, &len);
	if (r < 0)
		return err_set(err, -r, "read '%s'", path);
	text = arena_strndup(a, data, len);
	free(data);
	max = count_lines(text);
	m.lines = arena_array(a, max + 1, sizeof(*m.lines));
	while (m.n < max && (line = strsep(&text, "\n")))
		parse_line(line, &m.lines[m.n++]);
	*ret_info = m;
	return 0;
}

const struct mountinfo_line *
mountinfo_find(const struct mountinfo *m, uint64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->lines[i].id == id)
			return &m->lines[i];
	return NULL;
}
