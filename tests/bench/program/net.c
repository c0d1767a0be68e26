// SPDX-License-Identifier: MIT
/*
 * Streams over TCP between two systems: a server that takes or gives as many bytes as it is asked
 * to, and the client that measures. A request is one byte, 'u' or 'd', then the data.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { PORT = 5001, STREAM_BYTES = 16 << 20 };

static char data[1 << 16];

static void send_all(int to)
{
	for (int left = STREAM_BYTES; left > 0;) {
		ssize_t sent = write(to, data, sizeof(data));

		if (sent <= 0)
			die("send");
		left -= sent;
	}
}

static void receive_all(int from)
{
	for (int left = STREAM_BYTES; left > 0;) {
		size_t most = left < (int)sizeof(data) ? (size_t)left : sizeof(data);
		ssize_t got = read(from, data, most);

		if (got <= 0)
			die("receive");
		left -= got;
	}
}

void stream_server(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 4))
		die("listen");
	for (;;) {
		int client = accept(listener, NULL, NULL);
		char request;

		if (client < 0 || read(client, &request, 1) != 1)
			die("request");
		if (request == 'd')
			send_all(client);
		else
			receive_all(client);
		/* Tells an uploader that all has come. */
		if (write(client, &request, 1) != 1)
			die("answer");
		close(client);
	}
}

/* One stream there or back; the server's last byte ends it. */
static void stream(const char *address, char request)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int server = socket(AF_INET, SOCK_STREAM, 0);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(server, (struct sockaddr *)&to, sizeof(to)) || write(server, &request, 1) != 1)
		die(address);
	if (request == 'u')
		send_all(server);
	else
		receive_all(server);
	if (read(server, &request, 1) != 1)
		die("answer");
	close(server);
}

void measure_streams(const char *address)
{
	double start = now_ns();

	stream(address, 'u');
	print_rate("net-send", STREAM_BYTES, now_ns() - start);
	start = now_ns();
	stream(address, 'd');
	print_rate("net-receive", STREAM_BYTES, now_ns() - start);
}
