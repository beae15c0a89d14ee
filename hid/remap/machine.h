/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keys mean: events in, presses and releases of codes out. It knows no reports.
 *
 * Events wait in a queue until it is clear what the first of them means. That depends on what follows:
 * a key that is tapped or held, the first key of a combo. So order is kept whatever has to be waited
 * for: nothing overtakes the first one. What is clear by looking at the queue and at the time is decided
 * at the next event; only where something must come out without one there is a deadline.
 *
 *	first event		what follows			meaning
 *	-----------		------------			-------
 *	release			anything			undoes what its press did
 *	press, in a combo	the others, in time		the combo
 *				anything else, or time's up	as if there were no combo
 *	press, tap or hold	its release, in time		tap
 *				time's up			hold
 *				press of another (press)	hold
 *				another's tap (release)		hold
 *	press, else		anything			what the highest active layer says
 *
 * What a press did is remembered with the key, so that its release undoes that, whatever layer or table
 * is current then.
 */
#ifndef SCXHID_REMAP_MACHINE_H
#define SCXHID_REMAP_MACHINE_H

#include "table.h"

#define NR_EVENTS   256 /* more than a report can tell of */
#define NR_THINGS   512
#define MOST_THINGS 160 /* of one event */
#define NSEC_PER_MS 1000000ULL
#define NEVER	    (~0ULL)

struct event {
	u64 at; /* ns */
	u16 code;
	u8 is_press;
	u8 is_spent; /* it was part of a combo */
	u32 spare;
};

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
};

struct machine {
	struct event events[NR_EVENTS];
	u32 first, nr_events;
	u32 presses;   /* of keys that are no layers */
	u32 combos;    /* so far */
	u32 oneshot;   /* layer of the next press; 0: none */
	u32 toggled;   /* layers, a bit each */
	u32 nr_things; /* to do */
	u64 event_at;  /* ns, of the event that is taken, */
	u64 thing_at;  /* and of the one that last did something */
	u64 deadline;  /* ns; NEVER: nothing happens without an event */
	u32 held_layers[NR_LAYERS];
	struct held held[NR_CODES];
	u16 things[NR_THINGS]; /* STEP_ */
};

struct machine machine;

static __always_inline struct event *event_at(u32 n)
{
	return &machine.events[(machine.first + n) & (NR_EVENTS - 1)];
}

static __always_inline struct held *held_of(u32 code)
{
	return &machine.held[code & (NR_CODES - 1)];
}

/* What two events do must not be in one report: there the order of its fields would count. */
static __always_inline void add_thing(u16 thing)
{
	if (machine.nr_things && machine.thing_at != machine.event_at) {
		machine.things[machine.nr_things & (NR_THINGS - 1)] = STEP_FLUSH;
		machine.nr_things++;
	}
	machine.thing_at = machine.event_at;
	machine.things[machine.nr_things & (NR_THINGS - 1)] = thing;
	machine.nr_things++;
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
	const struct table *t = current_table();
	u32 n, layer, action;

	if (!t)
		return 0;
	bpf_for(n, 0, NR_LAYERS) {
		layer = (NR_LAYERS - 1 - n) & (NR_LAYERS - 1);
		if (!is_active(layer))
			continue;
		action = t->layers[layer][code & (NR_CODES - 1)] & (NR_ACTIONS - 1);
		if (action && t->actions[action].kind != ACTION_FALLS)
			return action;
	}
	return 0;
}

/* The key does what its action says, or is itself; and remembers it. */
__noinline int press(u32 code, u32 number)
{
	const struct table *t = current_table();
	struct held *held = held_of(code);
	const struct action *action;
	u32 n, layer;

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
			held->codes[n & (MOST_KEYS - 1)] =
				number ? action->codes[n & (MOST_KEYS - 1)] : code;
			add_thing(held->codes[n & (MOST_KEYS - 1)] | STEP_DOWN);
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
		bpf_for(n, 0, action->nr)
			add_thing(t->steps[(action->codes[0] + n) & (NR_STEPS - 1)]);
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
			add_thing(held->codes[n & (MOST_KEYS - 1)]);
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

/* ---- What the first event means ---- */

#define WAITS -1
#define DONE  -2

static __always_inline void wait_until(u64 deadline)
{
	if (deadline < machine.deadline)
		machine.deadline = deadline;
}

__noinline int is_member(u32 number, u32 code)
{
	const struct table *t = current_table();
	const struct combo *combo;
	u32 n;

	if (!t)
		return false;
	combo = &t->combos[number & (NR_COMBOS - 1)];
	bpf_for(n, 0, combo->nr)
		if (combo->codes[n & (MOST_KEYS - 1)] == code)
			return true;
	return false;
}

/* How many keys of a combo the queue begins with; 0 if something else is among them, or it is late. */
__noinline int count_members(u32 number)
{
	const struct table *t = current_table();
	const struct combo *combo;
	u64 began = event_at(0)->at;
	u32 n, members = 0;

	if (!t)
		return 0;
	combo = &t->combos[number & (NR_COMBOS - 1)];
	bpf_for(n, 0, machine.nr_events) {
		const struct event *event = event_at(n);

		if (event->is_spent)
			continue;
		if (!event->is_press || !is_member(number, event->code) ||
		    event->at - began > combo->within_ms * NSEC_PER_MS)
			return 0;
		members++;
		if (members == combo->nr)
			break;
	}
	return members;
}

/* Does the combo that the queue begins with, whose other keys are spent then: DONE, WAITS or 0. */
__noinline int find_combo(u64 now)
{
	const struct table *t = current_table();
	const struct event *first = event_at(0);
	u32 code = first->code, c, n, members, left;
	const struct combo *combo;

	if (!t)
		return 0;
	bpf_for(c, 0, t->nr_combos) {
		combo = &t->combos[c & (NR_COMBOS - 1)];
		if (!is_member(c, code) || !is_active(combo->layer))
			continue;
		members = count_members(c);
		if (members == combo->nr) {
			machine.combos = machine.combos + 1 ?: 1;
			left = members - 1;
			bpf_for(n, 1, machine.nr_events) {
				struct event *event = event_at(n);
				struct held *held = held_of(event->code);

				if (!left)
					break;
				if (event->is_spent)
					continue;
				event->is_spent = true;
				held->kind = ACTION_TAP_HOLD;
				held->codes[0] = code;
				held->combo = machine.combos;
				left--;
			}
			press(code, combo->action);
			held_of(code)->combo = machine.combos;
			return DONE;
		}
		if (members && now - first->at <= combo->within_ms * NSEC_PER_MS) {
			wait_until(first->at + combo->within_ms * NSEC_PER_MS + 1);
			return WAITS;
		}
	}
	return 0;
}

/* Whether the key was pressed after the first event: then its release is that of a tap. */
__noinline int is_pressed_in_queue(u32 code, u32 before)
{
	u32 n;

	bpf_for(n, 1, before) {
		const struct event *event = event_at(n);

		if (event->is_press && event->code == code)
			return true;
	}
	return false;
}

/* The action that the first event, a press with such a one, turns out to be; or WAITS. */
__noinline int tap_or_hold(u32 number, u64 now)
{
	const struct table *t = current_table();
	const struct event *first = event_at(0);
	const struct action *action, *hold;
	u64 late;
	u32 n;

	if (!t)
		return 0;
	action = &t->actions[number & (NR_ACTIONS - 1)];
	hold = &t->actions[action->hold & (NR_ACTIONS - 1)];
	late = first->at + action->timeout_ms * NSEC_PER_MS;
	bpf_for(n, 1, machine.nr_events) {
		const struct event *event = event_at(n);

		if (event->at >= late)
			return action->hold;
		if (event->is_spent)
			continue;
		if (event->code == first->code)
			return action->tap;
		if (event->is_press ? action->resolve == RESOLVE_PRESS :
				      action->resolve == RESOLVE_RELEASE &&
					      is_pressed_in_queue(event->code, n))
			return action->hold;
	}
	if (now >= late)
		return action->hold;
	/* A layer shows only when a key is pressed in it. */
	if (machine.nr_events > 1 || (hold->kind != ACTION_LAYER && hold->kind != ACTION_NOTHING))
		wait_until(late);
	return WAITS;
}

/* Does what the first event means: false if that is not clear yet. */
__noinline int take_first(u64 now)
{
	const struct event *first = event_at(0);
	const struct table *t = current_table();
	u32 code = first->code;
	int action = 0;

	if (!t || first->is_spent)
		return true;
	machine.event_at = first->at;
	if (!first->is_press) {
		release(code);
		return true;
	}
	action = find_combo(now);
	if (!action) {
		action = find_action(code);
		if (t->actions[action & (NR_ACTIONS - 1)].kind == ACTION_TAP_HOLD)
			action = tap_or_hold(action, now);
	}
	if (action == WAITS)
		return false;
	if (action != DONE)
		press(code, action);
	return true;
}

/*
 * Goes on with the queue as far as it is clear what the events mean, or time has made it so. What is to
 * be done stands in things then.
 */
__noinline int go_on(u64 now)
{
	u32 n;

	machine.nr_things = 0;
	machine.deadline = NEVER;
	/* Nobody types so much while something is not clear. */
	if (machine.nr_events > NR_EVENTS / 2)
		now = NEVER / 2;
	bpf_for(n, 0, NR_EVENTS) {
		if (!machine.nr_events)
			break;
		if (machine.nr_things > NR_THINGS - MOST_THINGS) { /* the rest comes soon */
			machine.deadline = 0;
			break;
		}
		if (!take_first(now))
			break;
		machine.first++;
		machine.nr_events--;
	}
	return 0;
}

/* A key was pressed or released. False: there is no room, what is not clear has to be decided first. */
__noinline int add_event(u32 code, bool is_press, u64 now)
{
	struct event *event;

	if (machine.nr_events >= NR_EVENTS)
		return false;
	event = event_at(machine.nr_events);
	event->at = now;
	event->code = code;
	event->is_press = is_press;
	event->is_spent = false;
	machine.nr_events++;
	return true;
}

/* After a suspend: who is pressed may have changed, and what waits is not meant any more. */
static __always_inline void forget_pending(void)
{
	machine.nr_events = 0;
	machine.oneshot = 0;
	machine.deadline = NEVER;
}

#endif /* SCXHID_REMAP_MACHINE_H */
