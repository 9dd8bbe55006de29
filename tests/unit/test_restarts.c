/* SPDX-License-Identifier: ISC */
/* What becomes of a service: every state with every input, and what a restart costs, under a clock of our own. */
#include "tap.h"

#include "policy.h"

#define STATES 7

/* Written by hand from the words of carrel_supervise(3), a row a state, a column an input; "." changes nothing. */
static const char *const names[STATES] = { "off", "held", "starting", "up", "stopping", "delayed", "failed" };
static const char *const inputs[INPUT_COUNT] = { "start", "stop", "clear", "spawn failed",
						 "ready", "late", "gone", "time" };
static const char *const wanted[STATES][INPUT_COUNT] = {
	/*		start	stop		clear		  spawn failed	ready	late	    gone	 time */
	/* off */	{ "held", ".",		".",		  ".",		".",	".",	    ".",	 "." },
	/* held */	{ ".",	"off, off",	"starting, spawn", ".",		".",	".",	    ".",	 "." },
	/* starting */	{ ".",	"stopping, stop", ".",		  "off, ended",	"up",	"stopping, stop", "off, ended", "." },
	/* up */	{ ".",	"stopping, stop", ".",		  ".",		".",	"stopping, stop", "off, ended", "." },
	/* stopping */	{ ".",	".",		".",		  ".",		".",	".",	    "off, ended", "." },
	/* delayed */	{ "held", "off, off",	".",		  ".",		".",	".",	    ".",	 "held" },
	/* failed */	{ "held", "off, off",	".",		  ".",		".",	".",	    ".",	 "." },
};

TEST(every_state_with_every_input)
{
	static const char *const actions[] = { "", ", spawn", ", stop", ", ended", ", off" };

	for (int state = 0; state < STATES; state++) {
		CHECK_STR(carrel_service_state_name((carrel_service_state)state), names[state]);
		for (int input = 0; input < INPUT_COUNT; input++) {
			struct transition t = policy_next((carrel_service_state)state, (enum input)input);
			char got[40];

			snprintf(got, sizeof(got), "%s%s", carrel_service_state_name(t.state), actions[t.action]);
			if ((int)t.state == state && t.action == ACTION_NONE)
				snprintf(got, sizeof(got), ".");
			if (strcmp(got, wanted[state][input]) != 0)
				tap_fail("%s, %s: %s, wanted %s", names[state], inputs[input], got,
					 wanted[state][input]);
		}
	}
}

/* Whatever comes: something is spawned only where nothing runs, and what runs ends before it is anything else. */
TEST(never_two_trees)
{
	for (int state = 0; state < STATES; state++) {
		for (int input = 0; input < INPUT_COUNT; input++) {
			struct transition t = policy_next((carrel_service_state)state, (enum input)input);
			bool runs = policy_runs((carrel_service_state)state);

			CHECK(t.action != ACTION_SPAWN || (!runs && t.state == CARREL_SERVICE_STARTING));
			if (runs && !policy_runs(t.state))
				CHECK(input == INPUT_GONE || input == INPUT_SPAWN_FAILED);
		}
	}
}

TEST(failures_and_their_ends)
{
	static const carrel_status good = { .exited = 1 }, bad = { .exited = 1, .code = 3 },
				   killed = { .sig = 9 }, late = { .exited = 1, .cause = CARREL_BY_TIMEOUT };

	CHECK(!policy_failed(&good));
	CHECK(policy_failed(&bad));
	CHECK(policy_failed(&killed));
	CHECK(policy_failed(&late));
	CHECK(policy_again(CARREL_PERMANENT, false) && policy_again(CARREL_PERMANENT, true));
	CHECK(!policy_again(CARREL_TRANSIENT, false) && policy_again(CARREL_TRANSIENT, true));
	CHECK(!policy_again(CARREL_TEMPORARY, false) && !policy_again(CARREL_TEMPORARY, true));
	CHECK_INT(policy_failures(0, 0, 1000), 1);
	CHECK_INT(policy_failures(7, 999, 1000), 8);
	CHECK_INT(policy_failures(7, 1000, 1000), 1);
	CHECK(policy_failures(UINT32_MAX, 0, 1000) == UINT32_MAX);
}

TEST(delays_are_those_of_backoff)
{
	CHECK_INT(policy_delay(0, 100, 30000, 7), 0);
	CHECK_INT(policy_delay(1, 100, 30000, 7), 0);
	for (unsigned n = 2; n < 40; n++)
		CHECK_INT(policy_delay(n, 100, 30000, 7), carrel_backoff(n - 1, 100, 30000, 7));
}

/* FNV-1a has published values, begun with its own offset. */
TEST(each_service_has_a_seed_of_its_own)
{
	CHECK(policy_seed(0xcbf29ce484222325U, "") == 0xcbf29ce484222325U);
	CHECK(policy_seed(0xcbf29ce484222325U, "a") == 0xaf63dc4c8601ec8cU);
	CHECK(policy_seed(0xcbf29ce484222325U, "foobar") == 0x85944171f73967e8U);
}

/* Restarts at ${times}, up to -1: how many of them are within the limit. */
static int allowed(const carrel_intensity *limit, const int64_t *times)
{
	struct history h = { 0 };
	int n = 0;

	for (; *times != -1; times++, n++) {
		if (policy_enough(&h, limit, *times))
			return n;
		history_add(&h, *times);
	}
	return n;
}

TEST(intensity)
{
	static const carrel_intensity three = { 3, 5000 }, one = { 1, 1000 }, none = { 0, 1000 }, no_time = { 3, 0 };

	CHECK_INT(allowed(&three, (int64_t[]){ 0, 1, 2, 3, -1 }), 3);
	CHECK_INT(allowed(&three, (int64_t[]){ 0, 1, 2, 4999, -1 }), 3);
	CHECK_INT(allowed(&three, (int64_t[]){ 0, 1, 2, 5000, -1 }), 4);
	/* The window moves with each of them. */
	CHECK_INT(allowed(&three, (int64_t[]){ 0, 2500, 4000, 5000, 7499, -1 }), 4);
	CHECK_INT(allowed(&three, (int64_t[]){ 0, 2500, 4000, 5000, 7500, 9000, -1 }), 6);
	CHECK_INT(allowed(&one, (int64_t[]){ 0, 999, -1 }), 1);
	CHECK_INT(allowed(&one, (int64_t[]){ 0, 1000, 2000, 3000, 3999, -1 }), 4);
	CHECK_INT(allowed(&none, (int64_t[]){ 0, 0, 0, 0, 0, 0, -1 }), 6);
	CHECK_INT(allowed(&no_time, (int64_t[]){ 0, 0, 0, 0, 0, 0, -1 }), 6);
}

/* Against the plain definition: of the last restarts, those within the window are counted. */
TEST(intensity_for_all_numbers)
{
	uint64_t random = 12345;

	for (unsigned n = 1; n <= HISTORY_MAX; n++) {
		const carrel_intensity limit = { n, 1000 };
		int64_t at[400], now = 0;
		struct history h = { 0 };

		for (int i = 0, k = 0; i < 400; i++) {
			unsigned within = 0;

			random = random * 6364136223846793005U + 1442695040888963407U;
			now += (int64_t)((random >> 33) % (2000 / n + 1));
			for (int j = 0; j < k; j++)
				within += now - at[j] < 1000;
			CHECK_INT(policy_enough(&h, &limit, now), within >= n);
			if (within < n) {
				history_add(&h, now);
				at[k++] = now;
			}
		}
	}
}

