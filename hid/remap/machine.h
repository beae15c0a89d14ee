/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a press does, and what its release undoes: codes to be pressed and released, layers. It knows no
 * reports. The runner alone (shared.h) goes on with it; what the first event means says meaning.h.
 *
 * What a press did is remembered with the key, so that its release undoes that, whatever layer or table
 * is current then.
 */
#ifndef SCXHID_REMAP_MACHINE_H
#define SCXHID_REMAP_MACHINE_H

#include "shared.h"

#define MOST_THINGS 176 /* of one event */

/* What the press of a key did. */
struct held {
	u8 kind; /* enum action_kind; ACTION_TAP_HOLD: it belongs to the combo that codes[0] began */
	u8 nr;
	u8 layer;
	u8 spare;
	u32 presses; /* a one-shot: how many there had been */
	u32 combo;   /* which one it is part of; 0: none */
	u32 spare2;
	u16 codes[MOST_KEYS];
	u8 outputs[MOST_KEYS]; /* the interface on which each was pressed */
};

struct machine {
	struct event events[NR_EVENTS];
	u32 first, nr_events;
	u32 presses;   /* of keys that are no layers */
	u32 combos;    /* so far */
	u32 oneshot;   /* layer of the next press; 0: none */
	u32 toggled;   /* layers, a bit each */
	u32 nr_things; /* to do, since it was gone on with last */
	u32 nr_taken;  /* events so far, those of one report as one, and steps of macros */
	u32 layer;     /* that said what the last press means */
	u64 taken_at;  /* ns, of the last of them */
	u32 is_stale;  /* what waits is not meant any more */
	u32 modifiers; /* that are pressed since layers carry them, a bit each */
	u64 deadline;  /* ns; NEVER: nothing happens without an event */
	u8 modifier_outputs[NR_MODIFIERS];
	u32 held_layers[NR_LAYERS];
	struct held held[NR_CODES];
};

SHARED struct machine machine = { .deadline = NEVER };

static __always_inline struct event *event_at(u32 n)
{
	return &machine.events[(machine.first + n) & (NR_EVENTS - 1)];
}

static __always_inline struct held *held_of(u32 code)
{
	return &machine.held[code & (NR_CODES - 1)];
}

/* To be done on an interface. */
__noinline int add_thing(u32 output, u32 thing)
{
	add_to(output_of(output), thing | machine.nr_taken << THING_EVENT);
	machine.nr_things++;
	return 0;
}

/* The interface to press a code on: the one that the key came from, if that can say it. */
__noinline int choose_output(u32 code, u32 from)
{
	const struct rules *t = current_rules();
	u32 n, can;

	if (!t)
		return from;
	can = t->sayers[code & (NR_CODES - 1)] & present;
	if (!can || can >> (from & (NR_INTERFACES - 1)) & 1)
		return from;
	bpf_for(n, 0, NR_INTERFACES)
		if (can >> (n & (NR_INTERFACES - 1)) & 1)
			return n;
	return from;
}

static __always_inline bool is_active(u32 layer)
{
	layer &= NR_LAYERS - 1;
	return !layer || layer == machine.oneshot || machine.held_layers[layer] ||
	       machine.toggled >> layer & 1;
}

/* The action for a code in the highest active layer that has one; 0: the key is itself. */
__noinline int find_action(u32 code)
{
	const struct rules *t = current_rules();
	u32 n, layer, action;

	machine.layer = 0;
	if (!t)
		return 0;
	bpf_for(n, 0, NR_LAYERS) {
		layer = (NR_LAYERS - 1 - n) & (NR_LAYERS - 1);
		if (!is_active(layer))
			continue;
		action = t->layers[layer][code & (NR_CODES - 1)] & (NR_ACTIONS - 1);
		if (action && t->actions[action].kind != ACTION_FALLS) {
			machine.layer = layer;
			return action;
		}
	}
	return 0;
}

/* Each step of a macro goes where its keys are; what ends it, to all of those. */
__noinline int type_steps(u32 number, u32 from)
{
	const struct rules *t = current_rules();
	const struct action *action;
	u32 n, o, output, typed = 0;
	u16 step;

	if (!t)
		return 0;
	action = &t->actions[number & (NR_ACTIONS - 1)];
	bpf_for(n, 0, action->nr) {
		step = t->steps[(action->codes[0] + n) & (NR_STEPS - 1)];
		if (step != STEP_FLUSH) {
			output = choose_output(step & ~STEP_DOWN, from);
			typed |= 1 << (output & (NR_INTERFACES - 1));
			add_thing(output, step);
			continue;
		}
		bpf_for(o, 0, NR_INTERFACES)
			if (typed >> (o & (NR_INTERFACES - 1)) & 1)
				add_thing(o, STEP_FLUSH);
		machine.nr_taken++;
	}
	return 0;
}

/* The key does what its action says, or is itself; and remembers it. */
__noinline int press(u32 code, u32 number, u32 from)
{
	const struct rules *t = current_rules();
	struct held *held = held_of(code);
	const struct action *action;
	u32 n, layer, meant, output;

	if (!t)
		return 0;
	action = &t->actions[number & (NR_ACTIONS - 1)];
	__builtin_memset(held, 0, sizeof(*held));
	held->kind = number ? action->kind : ACTION_KEYS;
	layer = action->layer & (NR_LAYERS - 1);
	switch (held->kind) {
	case ACTION_KEYS:
		held->nr = number ? action->nr : 1;
		bpf_for(n, 0, MOST_KEYS) {
			if (n >= held->nr)
				break;
			meant = number ? action->codes[n & (MOST_KEYS - 1)] : code;
			output = choose_output(meant, from);
			held->codes[n & (MOST_KEYS - 1)] = meant;
			held->outputs[n & (MOST_KEYS - 1)] = output;
			add_thing(output, meant | STEP_DOWN);
		}
		break;
	case ACTION_LAYER:
	case ACTION_ONESHOT:
		held->layer = layer;
		held->presses = machine.presses;
		machine.held_layers[layer]++;
		return 0;
	case ACTION_TOGGLE:
		machine.toggled ^= 1 << layer;
		return 0;
	case ACTION_MACRO:
		type_steps(number, from);
		break;
	}
	machine.presses++;
	machine.oneshot = 0;
	return 0;
}

/* Undoes what the press of the key did. */
__noinline int release(u32 code)
{
	struct held *held = held_of(code);
	u32 n, layer, combo;

	if (held->kind == ACTION_TAP_HOLD) { /* it ends the combo, if that has not ended */
		combo = held->combo;
		held->kind = ACTION_FALLS;
		held = held_of(held->codes[0]);
		if (held->combo != combo)
			return 0;
	}
	layer = held->layer & (NR_LAYERS - 1);
	switch (held->kind) {
	case ACTION_KEYS:
		bpf_for(n, 0, MOST_KEYS) {
			if (n >= held->nr)
				break;
			add_thing(held->outputs[n & (MOST_KEYS - 1)],
				  held->codes[n & (MOST_KEYS - 1)]);
		}
		break;
	case ACTION_ONESHOT:
		if (held->presses == machine.presses)
			machine.oneshot = layer;
		machine.held_layers[layer]--;
		break;
	case ACTION_LAYER:
		machine.held_layers[layer]--;
		break;
	}
	held->kind = ACTION_FALLS;
	held->combo = 0;
	return 0;
}

/* After a suspend: what waits is not pressed any more, but releases undo what was. */
static __always_inline void forget_pending(void)
{
	u32 n;

	bpf_for(n, 0, machine.nr_events)
		if (event_at(n)->is_press)
			event_at(n)->is_spent = true;
	machine.oneshot = 0;
	machine.is_stale = false;
}

#endif /* SCXHID_REMAP_MACHINE_H */
