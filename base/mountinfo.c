/* A line is
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

/* What has nothing to unescape is not written to. */
void
mountinfo_unescape(char *text)
{
	char *out = text = text + strcspn(text, "\\");

	if (!*text)
		return;
	for (; *text; out++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' && text[2] <= '7' &&
		    text[3] >= '0' && text[3] <= '7') {
			*out = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*out = *text++;
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
parse_line(char *line, struct mountinfo_line *row)
{
	char *rest = line, *tag;

	row->id = strtoull(word(&rest), NULL, 10);
	word(&rest);
	word(&rest);
	row->root = word(&rest);
	row->point = word(&rest);
	do
		tag = word(&rest);
	while (rest && strcmp(tag, "-") != 0);
	row->type = word(&rest);
	word(&rest);
	row->options = word(&rest);
	mountinfo_unescape(row->root);
	mountinfo_unescape(row->point);
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

void
mountinfo_parse(char *text, struct arena *a, struct mountinfo *ret_info)
{
	size_t max = count_lines(text);
	struct mountinfo m = { .lines = arena_array(a, max + 1, sizeof(*m.lines)) };
	char *line;

	while (m.n < max && (line = strsep(&text, "\n")))
		parse_line(line, &m.lines[m.n++]);
	*ret_info = m;
}

int
mountinfo_read(pid_t pid, struct arena *a, struct err *err, struct mountinfo *ret_info)
{
	char path[64] = "/proc/self/mountinfo", *data, *text;
	size_t len;
	int r;

	if (pid > 0)
		snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	r = fd_read_file_at(AT_FDCWD, path, TEXT_MAX, &data, &len);
	if (r < 0)
		return err_set(err, -r, "read '%s'", path);
	text = arena_strndup(a, data, len);
	free(data);
	mountinfo_parse(text, a, ret_info);
	return 0;
}

const struct mountinfo_line *
mountinfo_find(const struct mountinfo *info, uint64_t id)
{
	for (size_t i = 0; i < info->n; i++)
		if (info->lines[i].id == id)
			return &info->lines[i];
	return NULL;
}
