#pragma once

/// How often this thread has asked for memory. Counts from the start of the process, in a program that this is linked into.
unsigned long allocations_of_this_thread(void);
