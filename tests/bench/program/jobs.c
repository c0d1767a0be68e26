// SPDX-License-Identifier: MIT
/*
 * Rows of whole jobs, scaled down: what a compiler run costs in a build of many files, and what a
 * web server spends on a request for a small file. Most of a build is user mode, most of a server
 * is the kernel.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { HEADERS = 24, HEADER_BYTES = 6000, OBJECT_BYTES = 20000, TREE_BYTES = 1 << 20 };
enum { THOUGHTS_PER_PAGE = 8, SERVERS = 4, PATH_BYTES = 64 };

/* The sizes of the files served: mostly small. */
static const int served_bytes[] = { 1000, 3000, 3000, 8000, 8000, 20000, 60000 };
enum { SERVED = sizeof(served_bytes) / sizeof(served_bytes[0]) };

static void write_file(const char *path, int bytes)
{
	static char data[1 << 16];
	int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	if (file < 0 || write(file, data, bytes) != bytes)
		die(path);
	close(file);
}

void build_prepare(int arg)
{
	char path[PATH_BYTES];

	(void)arg;
	mkdir("/tmp/build", 0755);
	for (int i = 0; i < HEADERS; i++) {
		snprintf(path, sizeof(path), "/tmp/build/%d.h", i);
		write_file(path, HEADER_BYTES);
	}
}

/* What the program does as "bench compile OBJECT": reads headers, fills memory, thinks, writes. */
int compile(const char *object)
{
	char path[PATH_BYTES], text[HEADER_BYTES];
	struct stat status;
	volatile char *tree = mmap(NULL, TREE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (tree == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < HEADERS; i++) {
		snprintf(path, sizeof(path), "/tmp/build/missing/%d.h", i);
		stat(path, &status);
		snprintf(path, sizeof(path), "/tmp/build/%d.h", i);

		int file = open(path, O_RDONLY);

		if (file < 0 || fstat(file, &status) || read(file, text, sizeof(text)) < 0)
			die(path);
		close(file);
	}
	for (int i = 0; i < TREE_BYTES; i += PAGE_BYTES) {
		tree[i] = 1;
		user_run(THOUGHTS_PER_PAGE);
	}
	write_file(object, OBJECT_BYTES);
	return 0;
}

static void await_child(void)
{
	int status;

	if (wait(&status) < 0 || status)
		die("compile");
}

/* n compiler runs, two at a time, as make -j2 does. */
void build_run(unsigned long n)
{
	char *objects[] = { "/tmp/build/0.o", "/tmp/build/1.o" };

	for (unsigned long i = 0; i < n; i++) {
		char *argv[] = { "/bin/bench", "compile", objects[i & 1], NULL };
		pid_t child = fork();

		if (child == 0) {
			execve(argv[0], argv, (char *[]){ NULL });
			_exit(127);
		}
		if (child < 0)
			die("fork");
		if (i > 0)
			await_child();
	}
	await_child();
}

void build_finish(void)
{
	char path[PATH_BYTES];

	for (int i = 0; i < HEADERS; i++) {
		snprintf(path, sizeof(path), "/tmp/build/%d.h", i);
		unlink(path);
	}
	unlink("/tmp/build/0.o");
	unlink("/tmp/build/1.o");
	rmdir("/tmp/build");
}

static int listener;
static pid_t servers[SERVERS];
static struct sockaddr_in where;

/* Answers a connection at a time with the file whose name the client sends. */
static void serve(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		char path[PATH_BYTES] = "";
		struct stat status;
		off_t from = 0;
		int client = accept(listener, NULL, NULL);

		if (client < 0 || read(client, path, sizeof(path) - 1) <= 0)
			_exit(1);

		int file = open(path, O_RDONLY);

		if (file < 0 || fstat(file, &status))
			_exit(1);
		while (from < status.st_size)
			if (sendfile(client, file, &from, status.st_size - from) <= 0)
				_exit(1);
		close(file);
		close(client);
	}
}

void serve_prepare(int arg)
{
	char path[PATH_BYTES];
	socklen_t length = sizeof(where);

	(void)arg;
	for (int i = 0; i < SERVED; i++) {
		snprintf(path, sizeof(path), "/tmp/served-%d", i);
		write_file(path, served_bytes[i]);
	}
	where.sin_family = AF_INET;
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	where.sin_port = 0;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&where, length) ||
	    listen(listener, 64) || getsockname(listener, (struct sockaddr *)&where, &length))
		die("listen");
	for (int i = 0; i < SERVERS; i++) {
		servers[i] = fork();
		if (servers[i] < 0)
			die("fork");
		if (servers[i] == 0)
			serve();
	}
}

/* n requests, one after the other, by turns for each file. */
void serve_run(unsigned long n)
{
	static char data[1 << 16];

	for (unsigned long i = 0; i < n; i++) {
		char path[PATH_BYTES];
		int server = socket(AF_INET, SOCK_STREAM, 0);
		ssize_t got, sum = 0;

		snprintf(path, sizeof(path), "/tmp/served-%d", (int)(i % SERVED));
		if (server < 0 || connect(server, (struct sockaddr *)&where, sizeof(where)) ||
		    write(server, path, strlen(path)) < 0)
			die("request");
		while ((got = read(server, data, sizeof(data))) > 0)
			sum += got;
		if (sum != served_bytes[i % SERVED])
			die("answer");
		close(server);
	}
}

void serve_finish(void)
{
	char path[PATH_BYTES];

	for (int i = 0; i < SERVERS; i++) {
		kill(servers[i], SIGKILL);
		waitpid(servers[i], NULL, 0);
	}
	close(listener);
	for (int i = 0; i < SERVED; i++) {
		snprintf(path, sizeof(path), "/tmp/served-%d", i);
		unlink(path);
	}
}
