// SPDX-License-Identifier: GPL-2.0-or-later
/* hid_foreign_broken: hid_foreign as a version that the verifier refuses. */
#define BROKEN
#include "hid_foreign.bpf.c"
