/* SPDX-License-Identifier: MIT */
/*
 * The records that a vCPU shares with its guest: see runstate.h.
 *
 * vcpu_info is a frame that is kept, as events are raised there from any CPU. The others are
 * addresses in the guest kernel's address space, written only while the vCPU is current; a failing
 * write is the guest's loss and not reported, as there is nobody to report it to.
 */
#include "domain/runstate.h"

#include "abi/errno.h"
#include "domain/copy.h"
#include "x86/machine.h"

int vcpu_register_info(struct vcpu *v, mfn_t mfn, uint32_t offset)
{
	if (offset > PAGE_SIZE - sizeof(struct vcpu_info) || offset % sizeof(xen_ulong_t))
		return -EINVAL;
	if (v->info_frame || (v != vcpu_current() && !v->sched.down))
		return -EINVAL;
	if (!mm_get_writable(mfn, &v->domain->mm))
		return -EINVAL;
	v->info_frame = machine_va(mfn);
	event_move_vcpu_info(&v->event, (struct vcpu_info *)((char *)v->info_frame + offset));
	time_write_vcpu(&v->event.info->time);
	return 0;
}

void vcpu_release_info(struct vcpu *v)
{
	mm_put_writable(machine_mfn(v->info_frame));
	v->info_frame = NULL;
}

void vcpu_runstate(struct vcpu *v, struct vcpu_runstate_info *info)
{
	enum sched_state state;

	*info = (struct vcpu_runstate_info){ 0 };
	sched_runstate(&v->sched, &state, &info->state_entry_time, info->time);
	info->state = (int)state;
}

/*
 * Who asked for it (vm_assist) sees XEN_RUNSTATE_UPDATE in state_entry_time while the record
 * changes, so that its other vCPUs can read it too. 0 or -EFAULT.
 */
static int write_runstate(struct vcpu *v)
{
	bool flag = v->domain->vm_assist & 1ull << VMASST_TYPE_runstate_update_flag;
	guest_ptr_t at = v->area.runstate,
		    entry_time = { at.va + offsetof(struct vcpu_runstate_info, state_entry_time) };
	struct vcpu_runstate_info info;

	vcpu_runstate(v, &info);
	if (!flag)
		return copy_to_guest(at, &info, sizeof(info));
	info.state_entry_time |= XEN_RUNSTATE_UPDATE;
	if (copy_to_guest(entry_time, &info.state_entry_time, sizeof(info.state_entry_time)))
		return -EFAULT;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (copy_to_guest(at, &info, sizeof(info)))
		return -EFAULT;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
	return copy_to_guest(entry_time, &info.state_entry_time, sizeof(info.state_entry_time));
}

/*
 * The guest's copy of its time record, read by its processes: rewritten only if it is out of date.
 * 0 or -EFAULT.
 */
static int write_time(struct vcpu *v)
{
	struct vcpu_time_info info;
	guest_ptr_t at = v->area.time;
	uint32_t version;

	if (copy_from_guest(&info, at, sizeof(info)))
		return -EFAULT;
	version = info.version;
	time_write_vcpu(&info);
	if (info.version == version)
		return 0;
	version = info.version - 1;
	if (copy_to_guest(at, &version, sizeof(version)))
		return -EFAULT;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	version = info.version;
	info.version--;
	if (copy_to_guest(at, &info, sizeof(info)))
		return -EFAULT;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return copy_to_guest(at, &version, sizeof(version));
}

void vcpu_update_runstate_area(struct vcpu *v)
{
	bool other_table;

	if (guest_ptr_null(v->area.runstate) && guest_ptr_null(v->area.time))
		return;
	/* A 64-bit guest's user mode has tables that don't map its kernel. */
	other_table = !v->machine.kernel_mode;
	if (other_table)
		machine_tables_load(v->mm.kernel_table, false);
	if (!guest_ptr_null(v->area.runstate))
		(void)write_runstate(v);
	if (!guest_ptr_null(v->area.time))
		(void)write_time(v);
	if (other_table)
		machine_tables_load(v->mm.user_table, false);
}

int vcpu_register_runstate(struct vcpu *v, guest_ptr_t area)
{
	if (!guest_range_ok(area, sizeof(struct vcpu_runstate_info)))
		return -EFAULT;
	v->area.runstate = area;
	return v == vcpu_current() && !guest_ptr_null(area) ? write_runstate(v) : 0;
}

int vcpu_register_time(struct vcpu *v, guest_ptr_t area)
{
	if (!guest_range_ok(area, sizeof(struct vcpu_time_info)))
		return -EFAULT;
	v->area.time = area;
	return v == vcpu_current() && !guest_ptr_null(area) ? write_time(v) : 0;
}
