/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the first event means, by what follows it.
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
 */
#ifndef SCXHID_REMAP_MEANING_H
#define SCXHID_REMAP_MEANING_H

#include "modifiers.h"

#define WAITS -1

static __always_inline void wait_until(u64 deadline)
{
	if (deadline < machine.deadline)
		machine.deadline = deadline;
}

static __always_inline u64 combos_of(const struct rules *t, u32 code)
{
	return t->combos_of[code & (NR_CODES - 1)];
}

/* How many keys of a combo the queue begins with; 0 if something else is among them, or it is late. */
__noinline int count_members(u32 number)
{
	const struct rules *t = current_rules();
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
		if (!event->is_press ||
		    !(combos_of(t, event->code) >> (number & (NR_COMBOS - 1)) & 1) ||
		    event->at - began > combo->within_ms * NSEC_PER_MS)
			return 0;
		members++;
		if (members == combo->nr)
			break;
	}
	return members;
}

/* The action of the combo that the queue begins with, whose other keys are spent then; WAITS or 0. */
__noinline int find_combo(u64 now)
{
	const struct rules *t = current_rules();
	const struct event *first = event_at(0);
	u32 code = first->code, c, n, members, left;
	const struct combo *combo;
	u64 combos;

	if (!t)
		return 0;
	combos = combos_of(t, code);
	if (!combos)
		return 0;
	bpf_for(c, 0, t->nr_combos) {
		combo = &t->combos[c & (NR_COMBOS - 1)];
		if (!(combos >> (c & (NR_COMBOS - 1)) & 1) || !is_active(combo->layer))
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
			machine.layer = combo->layer;
			return combo->action;
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
	const struct rules *t = current_rules();
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
	/* A layer shows only when a key is pressed in it, unless it carries a modifier. */
	if (machine.nr_events > 1 ||
	    (hold->kind == ACTION_LAYER ? t->carriers >> (hold->layer & (NR_LAYERS - 1)) & 1 :
					  hold->kind != ACTION_NOTHING))
		wait_until(late);
	return WAITS;
}

/* Does what the first event means: false if that is not clear yet. */
__noinline int take_first(u64 now)
{
	const struct event *first = event_at(0);
	const struct rules *t = current_rules();
	u32 code = first->code;
	bool is_combo;
	int action;

	if (!t || first->is_spent)
		return true;
	if (machine.taken_at != first->at)
		machine.nr_taken++;
	machine.taken_at = first->at;
	if (!first->is_press) {
		release(code);
		settle_modifiers(t, first->interface);
		return true;
	}
	action = find_combo(now);
	is_combo = action > 0;
	if (!action) {
		action = find_action(code);
		if (t->actions[action & (NR_ACTIONS - 1)].kind == ACTION_TAP_HOLD)
			action = tap_or_hold(action, now);
	}
	if (action == WAITS)
		return false;
	press_in_layer(code, action, first->interface);
	if (is_combo)
		held_of(code)->combo = machine.combos;
	return true;
}

/* What came meanwhile, as far as there is room for it. */
static __always_inline void take_events(void)
{
	u32 n;

	bpf_for(n, 0, NR_EVENTS) {
		if (machine.nr_events >= NR_EVENTS || !take_event(event_at(machine.nr_events)))
			break;
		machine.nr_events++;
	}
}

/*
 * Goes on with the queue as far as it is clear what the events mean, or time has made it so. What is to
 * be done stands in the outputs then.
 */
__noinline int go_on(u64 now)
{
	u32 n;

	if (machine.is_stale)
		forget_pending();
	take_events();
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

#endif /* SCXHID_REMAP_MEANING_H */
