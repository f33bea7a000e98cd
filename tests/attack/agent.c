/* A seccomp agent that takes listeners and answers nothing: agent SOCKET
 *
 * The profile notifies of a call that nobody makes. Ends when it is killed. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 2 || strlen(argv[1]) + strlen(".new") >= sizeof(address.sun_path))
		return 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", argv[1]);
	/* Whoever waits for the name finds somebody who listens. */
	if (bind(server, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(server, 64) < 0 ||
	    rename(address.sun_path, argv[1]) < 0)
		return 1;
	for (;;) {
		int client = accept(server, NULL, NULL);
		char text[4096];

		/* The descriptors that come along are not taken: the kernel closes them. */
		while (client >= 0 && read(client, text, sizeof(text)) > 0)
			;
		close(client);
	}
}
