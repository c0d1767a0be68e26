/* SPDX-License-Identifier: MIT */
/* The verbs of enso, in the order in which its help lists them: a line for each. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

/* clang-format off */
#define CLI_VERBS(VERB) \
	VERB(cli_create) \
	VERB(cli_prepare) \
	VERB(cli_define) \
	VERB(cli_start) \
	VERB(cli_list) \
	VERB(cli_info) \
	VERB(cli_dumpxml) \
	VERB(cli_console_verb) \
	VERB(cli_log) \
	VERB(cli_pause) \
	VERB(cli_unpause) \
	VERB(cli_shutdown) \
	VERB(cli_reboot) \
	VERB(cli_destroy) \
	VERB(cli_save) \
	VERB(cli_restore) \
	VERB(cli_managedsave) \
	VERB(cli_managedsave_remove) \
	VERB(cli_setmem) \
	VERB(cli_setmaxmem) \
	VERB(cli_setvcpus) \
	VERB(cli_schedinfo) \
	VERB(cli_vcpuinfo) \
	VERB(cli_vcpupin) \
	VERB(cli_events) \
	VERB(cli_dump) \
	VERB(cli_top) \
	VERB(cli_apply) \
	VERB(cli_validate) \
	VERB(cli_import) \
	VERB(cli_edit) \
	VERB(cli_undefine) \
	VERB(cli_rename) \
	VERB(cli_autostart) \
	VERB(cli_attach_disk) \
	VERB(cli_detach_disk) \
	VERB(cli_domblklist) \
	VERB(cli_attach_interface) \
	VERB(cli_detach_interface) \
	VERB(cli_domiflist) \
	VERB(cli_disk_create) \
	VERB(cli_disk_resize) \
	VERB(cli_disk_info) \
	VERB(cli_image_build) \
	VERB(cli_net_list) \
	VERB(cli_net_define) \
	VERB(cli_net_start) \
	VERB(cli_net_stop) \
	VERB(cli_net_bridge) \
	VERB(cli_net_autostart) \
	VERB(cli_net_dumpxml) \
	VERB(cli_net_undefine) \
	VERB(cli_host) \
	VERB(cli_dmesg) \
	VERB(cli_debug_keys) \
	VERB(cli_explain) \
	VERB(cli_help) \
	VERB(cli_version)
/* clang-format on */

#endif
