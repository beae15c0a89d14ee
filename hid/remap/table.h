/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of a remap file, compiled for one device (pyloader/hid/remap/).
 *
 * A *code* is a number for a usage that can be pressed: 1 to 231 are the keyboard page's own, the
 * others are numbered by pyloader/hid/remap/keys.txt. It says nothing of where a device has it. Rules
 * speak of codes alone, and count on all interfaces of the device; each interface has its own places,
 * which say where in its reports a code is. Of both there are two, the current ones and the next, so
 * that rules change between two reports.
 */
#ifndef SCXHID_REMAP_TABLE_H
#define SCXHID_REMAP_TABLE_H

#define NR_INTERFACES 8 /* of one device */
#define NR_TABLES     2

#define NR_CODES   512
#define NR_WORDS   (NR_CODES / 64)
#define NR_LAYERS  16 /* 0: what counts where no layer says otherwise */
#define NR_ACTIONS 1024
#define NR_STEPS   1024
#define NR_COMBOS  64
#define NR_REPORTS 8
#define NR_FIELDS  32
#define NR_USAGES  2048
#define NR_AXES	   8
#define SEEN_BYTES 64 /* what the kernel lets a program see of any report, at least */
#define SEEN_WORDS (SEEN_BYTES / 8)
#define MOST_KEYS  4 /* of one action, or of a combo */

#define NO_CODE	       0
#define CODE_MODIFIERS 0xe0 /* the first of them, left control */
#define CODE_PHANTOM   511  /* a keyboard that has lost count of its keys */
#define NR_MODIFIERS   8
#define NO_REPORT      0xff

struct report {
	u8 id;	 /* 0: reports are not numbered */
	u8 size; /* in bytes, with the id's */
	u8 spare[6];
	u64 moves[SEEN_WORDS]; /* bits of movement, which must not be repeated */
};

enum field_kind {
	FIELD_BITS,  /* one bit a key; codes[first + n] is the n-th */
	FIELD_ARRAY, /* who is pressed, in any order; codes[first + value - minimum] */
};

struct field {
	u8 report; /* index into reports */
	u8 kind;   /* enum field_kind */
	u8 size;   /* of a value, in bits: at most 16 where it is an array */
	u8 spare;
	u16 count;
	u16 at; /* its first bit, the id's byte included */
	u16 first;
	u16 nr_codes; /* array: how many there are from first on */
	s32 minimum;
	u32 none; /* array: the value that means nobody */
};

/* Where a code is written: a bit of a report, or a value of an array field. */
struct slot {
	u8 report; /* NO_REPORT: the device cannot say it */
	u8 field;
	u16 value; /* the bit, counted as in struct field; or the value */
};

enum action_kind {
	ACTION_FALLS, /* to the layer below; at last the key is itself */
	ACTION_KEYS,
	ACTION_NOTHING,
	ACTION_LAYER,
	ACTION_TOGGLE,
	ACTION_ONESHOT,
	ACTION_MACRO,
	ACTION_TAP_HOLD,
};

enum resolve {
	RESOLVE_TIMEOUT, /* held for so long: nothing else counts */
	RESOLVE_PRESS,	 /* or another key is pressed meanwhile */
	RESOLVE_RELEASE, /* or another key is pressed and released meanwhile */
};

struct action {
	u8 kind;
	u8 nr; /* keys, or steps */
	u8 layer;
	u8 resolve;
	u16 timeout_ms;
	u16 tap; /* actions */
	u16 hold;
	u16 codes[MOST_KEYS]; /* the first of a macro: its first step */
};

/* A step of a macro, or a thing to do: a code and whether it is pressed. */
#define STEP_DOWN  0x8000
#define STEP_FLUSH 0 /* what was done so far is sent first */

struct combo {
	u8 nr;
	u8 layer;
	u16 within_ms;
	u16 action;
};

struct axis {
	u8 report;
	u8 size; /* bits, at most 32 */
	u16 at;
	s32 scale; /* in 1/65536 */
	s32 minimum;
	s32 maximum;
	u32 is_relative;
};

/* Of the device, whatever its interfaces are. */
struct rules {
	u32 nr_combos;
	u32 carriers;			 /* layers that carry modifiers, a bit each */
	u64 combos_of[NR_CODES];	 /* the combos that a code is part of, a bit each */
	u8 sayers[NR_CODES];		 /* interfaces that can say it, a bit each */
	u8 carried[NR_LAYERS];		 /* modifiers, a bit each */
	u16 layers[NR_LAYERS][NR_CODES]; /* actions */
	struct action actions[NR_ACTIONS];
	u16 steps[NR_STEPS];
	struct combo combos[NR_COMBOS]; /* those of more keys first */
};

/* Of one interface. */
struct places {
	u32 nr_reports;
	u32 nr_fields;
	u32 nr_axes;
	u32 spare;
	struct report reports[NR_REPORTS];
	struct field fields[NR_FIELDS];
	u16 codes[NR_USAGES];
	struct slot slots[NR_CODES];
	struct axis axes[NR_AXES];
};

#endif /* SCXHID_REMAP_TABLE_H */
