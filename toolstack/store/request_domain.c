/* SPDX-License-Identifier: MIT */
/* Requests on domains, and XS_CONTROL: see request.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/request.h"

static int get_domid(struct request *request, uint32_t *domid)
{
	uint64_t number;
	int rc = wire_read_number(&request->args, PERMS_DOMID_END - 1, &number);

	*domid = (uint32_t)number;
	return rc;
}

/* A domain id and nothing else, of a domain other than the control domain that was introduced. */
static int get_guest(struct request *request, struct domain **domain)
{
	uint32_t domid = 0;
	int rc = get_domid(request, &domid);

	if (rc || !domid)
		return -EINVAL;
	*domain = store_find_domain(request->store, domid);
	return *domain ? 0 : -ENOENT;
}

int request_introduce(struct request *request)
{
	uint64_t frame, port;
	uint32_t domid;
	int rc = get_domid(request, &domid);

	/* The frame is a signed number in the protocol; no machine has one with the sign bit. */
	if (!rc)
		rc = wire_read_number(&request->args, INT64_MAX, &frame);
	if (!rc)
		rc = wire_read_number(&request->args, UINT32_MAX, &port);
	if (rc || !domid)
		return -EINVAL;
	rc = store_introduce_domain(request->store, domid, frame, (uint32_t)port);
	if (!rc)
		request->specials |= 1u << STORE_SPECIAL_INTRODUCE;
	return rc;
}

int request_release(struct request *request)
{
	struct domain *domain;
	int rc = get_guest(request, &domain);

	if (!rc)
		store_release_domain(request->store, domain);
	return rc;
}

int request_get_domain_path(struct request *request)
{
	struct path path;
	uint32_t domid;
	int rc = get_domid(request, &domid);

	if (rc || request->args.left)
		return -EINVAL;
	path_home(domid, &path);
	return wire_add_string(request->reply, path.text);
}

int request_is_domain_introduced(struct request *request)
{
	uint32_t domid;
	int rc = get_domid(request, &domid);

	if (rc || request->args.left)
		return -EINVAL;
	return wire_add_string(request->reply,
			       store_find_domain(request->store, domid) ? "T" : "F");
}

int request_resume(struct request *request)
{
	struct domain *domain;
	int rc = get_guest(request, &domain);

	if (rc)
		return rc;
	domain->shutdown = false;
	store_log_domain(&request->store->log, domain);
	return 0;
}

int request_set_target(struct request *request)
{
	struct domain *domain;
	uint32_t target;
	int rc = get_guest(request, &domain);

	if (!rc)
		rc = get_domid(request, &target);
	if (rc)
		return rc;
	if (!store_find_domain(request->store, target))
		return -ENOENT;
	domain->conn.actor.target = target;
	store_log_domain(&request->store->log, domain);
	return 0;
}

/* node_walk(): counts. */
static int count(const struct node *node, const char *path, void *context)
{
	(void)node;
	(void)path;
	++*(unsigned int *)context;
	return 0;
}

static int control_stats(struct request *request)
{
	struct store *store = request->store;
	unsigned int nodes = 0, connections = 0, domains = 0;
	struct path root = { "/" };
	char text[200];

	node_walk(store->tree.root, &root, count, &nodes);
	for (const struct connection *conn = store->connections; conn; conn = conn->next)
		connections++;
	for (const struct domain *domain = store->domains; domain; domain = domain->next)
		domains++;
	snprintf(text, sizeof(text), "nodes %u\nwatches %u\nconnections %u\ndomains %u\n", nodes,
		 store->watches.count, connections, domains);
	return wire_add_string(request->reply, text);
}

static int control_check(struct request *request)
{
	return wire_add_string(request->reply,
			       tree_check(&request->store->tree) ? "OK" : "tree damaged");
}

static int control_help(struct request *request)
{
	return wire_add_string(request->reply, "check\nhelp\nstats\n");
}

int request_control(struct request *request)
{
	static const struct {
		const char *name;
		request_handler *handler;
	} commands[] = {
		{ "check", control_check },
		{ "help", control_help },
		{ "stats", control_stats },
	};
	const char *name = wire_string(&request->args);

	for (size_t i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(name, commands[i].name))
			return commands[i].handler(request);
	}
	return -EINVAL;
}
