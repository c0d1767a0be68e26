/* SPDX-License-Identifier: MIT */
/*
 * A machine that is CPUs and a clock: the part of x86/machine.h that event/, sched/ and time/ need,
 * and a heap. Time stands still until the test moves it. CPUs are numbers; each thread is on the
 * one it chose.
 */
#ifndef FAKE_CLOCK_H
#define FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_CLOCK_CPUS	8

/*
 * `cpus` are online, it is time `now`, no timer is armed, nobody was kicked, memory is plentiful.
 */
void fake_clock_start(unsigned cpus, uint64_t now);
void fake_clock_set(uint64_t now);
/* The CPU that this thread is. */
void fake_clock_cpu(unsigned cpu);
/* When the CPU's timer fires (~0: never), and how often it was armed. */
uint64_t fake_clock_armed(unsigned cpu);
unsigned fake_clock_arms(unsigned cpu);
/* It fired: it is not armed any more. */
void fake_clock_disarm(unsigned cpu);
/* How often the CPU was kicked since this was asked last. */
unsigned fake_clock_kicks(unsigned cpu);
/* Waiting for another CPU is an error unless CPUs are threads. */
void fake_clock_threads(bool on);
/*
 * machine_budget_spent() says yes after `questions` more, until the next start of a budget; ~0:
 * never.
 */
void fake_clock_budget(unsigned questions);
void fake_clock_stable(bool on);
/* heap_alloc() fails from the n-th call on; ~0: never. How many blocks are allocated now. */
void fake_heap_fails_after(unsigned n);
unsigned fake_heap_blocks(void);

#endif
