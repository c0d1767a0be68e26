/* SPDX-License-Identifier: MIT */
/* enso net ...: networks that guests are on. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "vm/network.h"

/* --- what there is -------------------------------------------------------------------------- */

static void address_of(const struct network_config *net, char text[24])
{
	text[0] = 0;
	if (!net->address)
		return;
	network_format_address(net->address, text);
	sprintf(text + strlen(text), "/%u", net->prefix);
}

static json_t *to_json(const struct vm_network *network)
{
	const struct network_config *net = &network->config;
	char address[24];
	json_t *object = json_pack("{s:s s:b s:b s:b s:I}", "name", network->name, "active",
				   network->active, "autostart", network->autostart, "persistent",
				   network->defined, "interfaces", (json_int_t)network->ports);

	if (!object || network->problem.code) {
		if (object)
			json_object_set_new(object, "problem", json_string(network->problem.text));
		return object;
	}
	address_of(net, address);
	json_object_set_new(object, "forward", json_string(network_forward_name(net->forward)));
	json_object_set_new(object, "bridge", json_string(net->bridge));
	json_object_set_new(object, "address", *address ? json_string(address) : json_null());
	json_object_set_new(object, "card", net->device ? json_string(net->device) : json_null());
	return object;
}

static void print_line(const struct vm_network *network)
{
	const struct network_config *net = &network->config;
	char address[24];

	if (network->problem.code) {
		printf("%-20s  %s\n", network->name, network->problem.text);
		return;
	}
	address_of(net, address);
	printf("%-20s  %-8s  %-9s  %-8s  %-15s  %-18s  %u\n", network->name,
	       network->active ? "active" : "inactive", network->autostart ? "yes" : "no",
	       network_forward_name(net->forward), net->bridge,
	       *address	     ? address
	       : net->device ? net->device
			     : "-",
	       network->ports);
}

static int run_list(struct vm *vm, const struct cli_args *args, struct error *err)
{
	json_t *array = json_array();
	struct vm_network *list;
	size_t count;

	(void)vm;
	if (vm_network_list(&list, &count, err)) {
		json_decref(array);
		return -1;
	}
	if (!args->option[0])
		printf("%-20s  %-8s  %-9s  %-8s  %-15s  %-18s  %s\n", "Name", "State", "Autostart",
		       "Forward", "Bridge", "Address or card", "Interfaces");
	for (size_t i = 0; i < count; i++) {
		if (args->option[0])
			json_array_append_new(array, to_json(&list[i]));
		else
			print_line(&list[i]);
	}
	vm_network_list_free(list, count);
	if (args->option[0])
		return cli_print_json(array, err);
	json_decref(array);
	return 0;
}

const struct cli_verb cli_net_list = {
	.name = "net list",
	.rights = CLI_GROUP,
	.aliases = "net-list",
	.operands = "",
	.summary = "List the networks that guests can be on",
	.options = { { "json", 0, NULL, "as JSON" } },
	.run = run_list,
};

static int run_dumpxml(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_network network;
	char *text;
	size_t len;
	int rc;

	(void)vm;
	if (vm_network_find(args->operand[0], args->option[0], &network, err))
		return -1;
	if (network.problem.code)
		return error_set(err, network.problem.code, "%s", network.problem.text);
	rc = network_dump(&network.config, &text, &len);
	network_free(&network.config);
	if (rc)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	fwrite(text, 1, len, stdout);
	free(text);
	return 0;
}

const struct cli_verb cli_net_dumpxml = {
	.name = "net dumpxml",
	.rights = CLI_GROUP,
	.aliases = "net-dumpxml",
	.operands = "NETWORK",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Print a network's definition as XML",
	.options = { { "inactive", 0, NULL, "what it starts with the next time" } },
	.run = run_dumpxml,
};

/* --- definitions ---------------------------------------------------------------------------- */

static int run_define(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct config_options options = { .strict = args->option[0], .warn = cli_warn };
	struct network_config net;
	int rc;

	(void)vm;
	if (network_load(&net, args->operand[0], &options, err))
		return -1;
	rc = vm_network_define(&net, err);
	network_free(&net);
	return rc;
}

const struct cli_verb cli_net_define = {
	.name = "net define",
	.waits = true,
	.aliases = "net-define",
	.operands = "FILE.xml",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Keep a network's definition, in libvirt's network XML",
	.text = "An active network gets it when it starts the next time. - is standard input.",
	.options = { { "strict", 0, NULL, "refuse what would be a warning" } },
	.run = run_define,
};

static int run_undefine(struct vm *vm, const struct cli_args *args, struct error *err)
{
	(void)vm;
	return vm_network_undefine(args->operand[0], err);
}

const struct cli_verb cli_net_undefine = {
	.name = "net undefine",
	.waits = true,
	.aliases = "net-undefine",
	.operands = "NETWORK",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Forget a network's definition; an active one goes on",
	.run = run_undefine,
};

static int run_autostart(struct vm *vm, const struct cli_args *args, struct error *err)
{
	(void)vm;
	return vm_network_autostart(args->operand[0], !args->option[0], err);
}

const struct cli_verb cli_net_autostart = {
	.name = "net autostart",
	.rights = CLI_GROUP,
	.waits = true,
	.aliases = "net-autostart",
	.operands = "NETWORK",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Start a network with the host, or not",
	.text = "Not needed for guests: a network is started for the first that is on it.",
	.options = { { "disable", 'd', NULL, "do not start it" } },
	.run = run_autostart,
};

/* --- start and stop ------------------------------------------------------------------------- */

static int run_start(struct vm *vm, const struct cli_args *args, struct error *err)
{
	(void)vm;
	if (!args->option[0] == !args->nr_operands)
		return error_set(err, ERROR_USAGE, "net start: say a network, or --autostart");
	return args->option[0] ? vm_network_start_all(err)
				: vm_network_start(args->operand[0], err);
}

const struct cli_verb cli_net_start = {
	.name = "net start",
	.rights = CLI_GROUP,
	.waits = true,
	.aliases = "net-start",
	.operands = "NETWORK",
	.max_operands = 1,
	.summary = "Start a network; of an active one, what is gone",
	.options = { { "autostart", 0, NULL, "all that start with the host" } },
	.run = run_start,
};

static int run_stop(struct vm *vm, const struct cli_args *args, struct error *err)
{
	(void)vm;
	return vm_network_stop(args->operand[0], args->option[0], err);
}

const struct cli_verb cli_net_stop = {
	.name = "net stop",
	.rights = CLI_GROUP,
	.waits = true,
	.aliases = "net-destroy net-stop",
	.operands = "NETWORK",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Stop a network that no guest is on",
	.options = { { "force", 0, NULL, "also if guests are on it" } },
	.run = run_stop,
};

static int keep(char **slot, const char *text)
{
	*slot = strdup(text);
	return *slot ? 0 : -1;
}

static int run_bridge(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const char *card = args->operand[0], *name = args->option[0] ? args->option[0] : card;
	struct network_config net = { .forward = NETWORK_BRIDGE };
	char bridge[24];
	int rc;

	(void)vm;
	snprintf(bridge, sizeof(bridge), "br-%.20s", card);
	if (args->option[1])
		snprintf(bridge, sizeof(bridge), "%.20s", args->option[1]);
	if (!config_is_link(card) || !config_is_link(bridge) || !config_is_name(name))
		return error_set(err, ERROR_USAGE,
				 "net bridge: no name for a card, bridge or network: %s, %s, %s",
				 card, bridge, name);
	rc = keep(&net.name, name) || keep(&net.device, card) || keep(&net.bridge, bridge)
		     ? error_set(err, ERROR_NO_MEMORY, "out of memory")
		     : vm_network_define(&net, err);
	network_free(&net);
	if (rc)
		return rc;
	/* A network that cannot be started is not to be tried at each start of the host. */
	if (vm_network_start(name, err)) {
		vm_network_undefine(name, NULL);
		return -1;
	}
	return vm_network_autostart(name, true, err);
}

const struct cli_verb cli_net_bridge = {
	.name = "net bridge",
	.waits = true,
	.operands = "CARD",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Put a network card on a bridge, for guests to be its neighbours",
	.text = "Defines a network of the card's name, starts it now and with the host. The host's "
		"address moves\nto the bridge, so that it is reached as before; \"enso net stop\" "
		"undoes it.",
	.options = {
		{ "name", 0, "NETWORK", "the network's name; default: the card's" },
		{ "bridge", 0, "BRIDGE", "the bridge's name; default: br-CARD" },
	},
	.run = run_bridge,
};
