/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_BTF_H
#define KERNEL_BTF_H

#include <stdbool.h>

/* Whether the loads of this thread from now on do without the types of kernel modules. */
void shim_leave_modules_out(bool leave_out);

#endif
