/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_BTF_H
#define KERNEL_BTF_H

#include <stdbool.h>

/* Whether this thread's next loads look for names in the types of kernel modules too. */
void shim_leave_modules_out(bool leave_out);

#endif
