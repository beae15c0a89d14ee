// SPDX-License-Identifier: GPL-2.0-or-later
/* hid_foreign_refuses: hid_foreign as a version that says no to every device. */
#define REFUSES
#include "hid_foreign.bpf.c"
