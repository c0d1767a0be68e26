/* SPDX-License-Identifier: MIT */
/*
 * One page-table entry: which bits a guest may set, and what an L1 entry refers to. A present L1
 * entry holds one reference to its frame, and one as writable data if it has the write bit; entries
 * for what is no RAM hold none.
 *
 * Guest kernels run in ring 3, so every entry gets the user bit; a guest keeps its kernel from its
 * users by a second L4. Global entries would outlive a change of address space: the bit is dropped.
 * A domain without devices gets RAM write-back whatever it asks for: what we check through our
 * mapping is then what the CPU walks (advisory class A: non-coherent mappings).
 */
#include "mm/pt_entry.h"

#include "abi/errno.h"
#include "x86/machine.h"

#define DENIED_MAX	64

static struct mm_range denied[DENIED_MAX];
static unsigned nr_denied;
static uint64_t reserved;		/* address bits beyond the CPU's, NX if it has none */

void mm_deny_io(struct mm_range r)
{
	if (nr_denied < DENIED_MAX)
		denied[nr_denied++] = r;
}

static bool io_denied(mfn_t mfn)
{
	for (unsigned i = 0; i < nr_denied; i++)
		if (mfn.n + 1 > denied[i].start >> PAGE_SHIFT &&
		    mfn.n << PAGE_SHIFT < denied[i].end)
			return true;
	return false;
}

void pt_start(void)
{
	reserved = PTE_ADDRESS & ~((1ull << machine_paddr_bits()) - 1);
	if (!machine_has_nx())
		reserved |= PTE_NX;
}

inline bool pt_flags(const struct mm_domain *mm, unsigned level, uint64_t *entry)
{
	uint64_t refused = reserved;

	if (level > 1)			/* no large pages, nothing that some CPU reserves */
		refused |= PTE_PS | PTE_GLOBAL | PTE_PWT | PTE_PCD;
	if (*entry & refused)
		return false;
	*entry |= PTE_USER;
	if (level == 1)
		*entry &= ~PTE_GLOBAL;
	if (level == 1 && !mm->privileged)
		*entry &= ~(PTE_PWT | PTE_PCD | PTE_PAT);
	return true;
}

inline int pt_l1_get(const struct mm_domain *mm, const struct mm_domain *frames, uint64_t *entry)
{
	mfn_t mfn = pte_mfn(*entry);
	struct frame *f = frame_of(mfn);

	if (!pt_flags(mm, 1, entry))
		return -EINVAL;
	if (!f)
		return mm->privileged && !io_denied(mfn) ? 0 : -EPERM;
	if (!frame_get(f, frames->id))
		return -EPERM;
	if (!(*entry & PTE_WRITE) || type_get_writable(f, mm))
		return 0;
	frame_put(f);
	return -EINVAL;
}

inline void pt_l1_put(uint64_t entry)
{
	struct frame *f = frame_of(pte_mfn(entry));

	if (!f)
		return;
	if (entry & PTE_WRITE)
		type_put(f);
	frame_put(f);
}
