/* base/tz.c, base/tz_file.c, base/tz_rule.c, base/tz_names.c, base/tz_data.c */
#include <time.h>
#include <unistd.h>

#include "cron_fixture.h"

enum { FIRST_YEAR_S = 0 };
static const int64_t end_of_2100_s = 4133980799; /* 2100-12-31T23:59:59Z */

static void same_as_libc(const sc_zone *zone, int64_t at_s)
{
    sc_local_time ours;
    struct tm libc;
    time_t t = (time_t)at_s;

    sc_zone_local(zone, at_s * 1000, &ours);
    assert_non_null(localtime_r(&t, &libc));
    if (ours.year != libc.tm_year + 1900 || ours.month != libc.tm_mon + 1 ||
        ours.day != libc.tm_mday || ours.hour != libc.tm_hour || ours.minute != libc.tm_min ||
        ours.second != libc.tm_sec || ours.weekday != libc.tm_wday ||
        ours.offset_s != libc.tm_gmtoff || ours.is_dst != (libc.tm_isdst > 0) ||
        strcmp(ours.abbreviation, libc.tm_zone) != 0)
        fail_msg("%s at %lld: %04d-%02d-%02d %02d:%02d:%02d %+d %s, libc says %+ld %s", zone->name,
                 (long long)at_s, ours.year, ours.month, ours.day, ours.hour, ours.minute,
                 ours.second, ours.offset_s, ours.abbreviation, libc.tm_gmtoff, libc.tm_zone);
}

static void compare_zone(const char *name)
{
    sc_zone *zone = NULL;
    uint64_t random = 88172645463325252;

    assert_ok(sc_zone_open(sc_slice_of(name), &zone, NULL));
    setenv("TZ", name, 1);
    tzset();
    for (size_t i = 0; i < zone->count; i++) {
        if (zone->at_s[i] < FIRST_YEAR_S || zone->at_s[i] > end_of_2100_s)
            continue;
        same_as_libc(zone, zone->at_s[i] - 1);
        same_as_libc(zone, zone->at_s[i]);
    }
    for (int i = 0; i < 60; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        same_as_libc(zone, (int64_t)(random % (uint64_t)end_of_2100_s));
    }
    sc_zone_close(zone);
}

TEST_LIMIT(every_zone_shows_what_libc_shows_from_1970_to_2100, 60)
{
    assert_true(each_zone("", compare_zone) > 400);
}

static int64_t offset_at(const char *name, int64_t at_s)
{
    sc_local_time local;
    sc_zone *zone = NULL;

    assert_ok(sc_zone_open(sc_slice_of(name), &zone, NULL));
    sc_zone_local(zone, at_s * 1000, &local);
    sc_zone_close(zone);
    return local.offset_s;
}

TEST(rules_hold_for_ever)
{
    assert_int_equal(offset_at("Europe/Berlin", 7271683199), 7200);  /* 2200-06-06 */
    assert_int_equal(offset_at("Europe/Berlin", 32503680000), 3600); /* 3000-01-01 */
    assert_int_equal(offset_at("Europe/Berlin", 32519318400), 7200); /* 3000-07-01 */
    assert_int_equal(offset_at("Australia/Sydney", 32503680000), 39600);
    assert_int_equal(offset_at("Asia/Tokyo", 32503680000), 32400);
}

TEST(names_are_found_in_any_case_and_given_as_tzdata_spells_them)
{
    static const char *const rows[][2] = {
        {"europe/berlin", "Europe/Berlin"},
        {"AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires"},
        {"Etc/gmt+3", "Etc/GMT+3"},
        {"utc", "UTC"},
        {"", "UTC"},
        {"America/North_Dakota/New_Salem", "America/North_Dakota/New_Salem"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_zone *zone = NULL;

        assert_ok(sc_zone_open(sc_slice_of(rows[i][0]), &zone, NULL));
        assert_string_equal(sc_zone_name(zone), rows[i][1]);
        sc_zone_close(zone);
    }
}

TEST(what_is_no_zone_is_refused)
{
    static const char *const names[] = {
        "UTC+3",
        "+03:00",
        "Europe",
        "Europe/",
        "/Europe/Berlin",
        "Europe//Berlin",
        "../zoneinfo/UTC",
        "Europe/../Europe/Berlin",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "posixrules",
        "localtime",
        "zone.tab",
        "tzdata.zi",
        "leapseconds",
        "Europe/Berlin ",
        "Factory",
        ".",
        "Europe/Berlin/Mitte",
        "a/b/c/d/e/f/g",
        "America/Argentina/ComodRivadaviaComodRivadaviaComodRivadaviaComodRivadavia",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        sc_zone *zone = NULL;
        sc_reason reason = {""};

        if (sc_zone_open(sc_slice_of(names[i]), &zone, &reason) != SC_ENOTFOUND)
            fail_msg("\"%s\" was opened", names[i]);
        assert_non_null(strstr(reason.text, "there is no time zone"));
    }
    sc_zone *zone = NULL;
    assert_err(sc_zone_open((sc_slice){"Europe\0Berlin", 13}, &zone, NULL), SC_ENOTFOUND);
}

TEST(close_spellings_are_named)
{
    static const char *const rows[][2] = {
        {"Europe/Berln", "Europe/Berlin"},
        {"Berlin", "Europe/Berlin"},
        {"America/New York", "America/New_York"},
        {"lord_how", "Australia/Lord_Howe"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_zone *zone = NULL;
        sc_reason reason = {""};

        assert_err(sc_zone_open(sc_slice_of(rows[i][0]), &zone, &reason), SC_ENOTFOUND);
        if (!strstr(reason.text, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], reason.text);
    }
}

static void count_warnings(sc_log_level level, const char *text, void *user)
{
    int *warnings = user;

    if (level == SC_LOG_WARN && strstr(text, "no time zone data in /nowhere/at/all"))
        ++*warnings;
}

static void same_as_copy(const char *name)
{
    sc_zone *zone = NULL, *copy = NULL;

    unsetenv("TZDIR");
    assert_ok(sc_zone_open(sc_slice_of(name), &zone, NULL));
    setenv("TZDIR", "/nowhere/at/all", 1);
    assert_ok(sc_zone_open(sc_slice_of(name), &copy, NULL));
    assert_string_equal(copy->name, zone->name);
    assert_int_equal(copy->count, zone->count);
    assert_memory_equal(copy->at_s, zone->at_s, zone->count * sizeof(*zone->at_s));
    assert_memory_equal(copy->type, zone->type, zone->count * sizeof(*zone->type));
    assert_int_equal(copy->type_count, zone->type_count);
    for (size_t i = 0; i < zone->type_count; i++) {
        assert_int_equal(copy->types[i].offset_s, zone->types[i].offset_s);
        assert_int_equal(copy->types[i].is_dst, zone->types[i].is_dst);
        assert_string_equal(copy->types[i].abbreviation, zone->types[i].abbreviation);
    }
    sc_zone_close(zone);
    sc_zone_close(copy);
}

TEST_LIMIT(without_a_folder_the_zones_of_the_machine_that_built_us_serve, 60)
{
    int warnings = 0;

    sc_set_log(count_warnings, &warnings);
    assert_true(each_zone("", same_as_copy) > 400);
    assert_int_equal(warnings, 1);
}

TEST(a_copy_is_found_in_any_case_suggested_and_stale_once_there_is_a_file)
{
    char version[SC_TZDB_VERSION_MAX + 1] = "", system[SC_TZDB_VERSION_MAX + 1] = "";
    sc_reason reason = {""};
    sc_zone *zone = NULL;

    assert_ok(sc_tzdb_version(system));
    setenv("TZDIR", "/nowhere/at/all", 1);
    assert_ok(sc_tzdb_version(version));
    assert_string_equal(version, system);
    assert_err(sc_zone_open(SC_S("Berlin"), &zone, &reason), SC_ENOTFOUND);
    assert_non_null(strstr(reason.text, "did you mean Europe/Berlin?"));
    assert_ok(sc_zone_open(SC_S("EUROPE/berlin"), &zone, &reason));
    assert_string_equal(sc_zone_name(zone), "Europe/Berlin");
    assert_false(sc_zone_is_stale(zone));

    unsetenv("TZDIR");

    assert_true(sc_zone_is_stale(zone));
    sc_zone_close(zone);
}

static size_t read_zone_file(const char *path, char *bytes, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t len;

    assert_non_null(f);
    len = fread(bytes, 1, size, f);
    fclose(f);
    return len;
}

TEST(offsets_are_refused_with_what_to_write_instead)
{
    static const char *const rows[][2] = {
        {"UTC+3", "or Etc/GMT-3 for UTC+3 all the year"},
        {"gmt-4", "or Etc/GMT+4 for UTC-4 all the year"},
        {"+03:00", "or Etc/GMT-3 for"},
        {"-0500", "or Etc/GMT+5 for"},
        {"+05:30", "like Europe/Berlin"},
        {"UTC+15", "like Europe/Berlin"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_zone *zone = NULL;
        sc_reason reason = {""};

        assert_err(sc_zone_open(sc_slice_of(rows[i][0]), &zone, &reason), SC_ENOTFOUND);
        assert_non_null(strstr(reason.text, "an offset does not say when clocks change"));
        if (!strstr(reason.text, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], reason.text);
    }
}

static void copy_file(const char *from, const char *to)
{
    char bytes[16384], temporary[256];
    size_t len = read_zone_file(from, bytes, sizeof(bytes));
    FILE *f;

    snprintf(temporary, sizeof(temporary), "%s.new", to);
    f = fopen(temporary, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
    assert_int_equal(rename(temporary, to), 0);
}

TEST(an_update_of_the_data_is_noticed)
{
    char folder[128], file[160];
    sc_zone *zone, *utc, *again;

    snprintf(folder, sizeof(folder), "%s", test_folder());
    snprintf(file, sizeof(file), "%s/Here", folder);
    copy_file("/usr/share/zoneinfo/Europe/Berlin", file);
    setenv("TZDIR", folder, 1);
    assert_ok(sc_zone_open(SC_S("here"), &zone, NULL));
    assert_ok(sc_zone_open(SC_S(""), &utc, NULL));
    assert_false(sc_zone_is_stale(zone));

    copy_file("/usr/share/zoneinfo/Europe/Dublin", file);

    assert_true(sc_zone_is_stale(zone));
    assert_ok(sc_zone_open(SC_S("Here"), &again, NULL));
    assert_false(sc_zone_is_stale(again));
    assert_int_equal(unlink(file), 0);
    assert_false(sc_zone_is_stale(again)); /* what was read is all there is */
    assert_false(sc_zone_is_stale(utc));
    sc_zone_close(zone);
    sc_zone_close(utc);
    sc_zone_close(again);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

TEST(the_data_has_a_version)
{
    char version[SC_TZDB_VERSION_MAX + 1] = "";

    assert_ok(sc_tzdb_version(version));
    assert_int_equal(strncmp(version, "20", 2), 0);

    setenv("TZDIR", test_folder(), 1);
    assert_err(sc_tzdb_version(version), SC_ENOTFOUND);
    write_file(test_folder(), "tzdata.zi", "# redo posix_only\n");
    write_file(test_folder(), "+VERSION", "2024a\n");
    assert_ok(sc_tzdb_version(version));
    assert_string_equal(version, "2024a");
    write_file(test_folder(), "tzdata.zi", "# version 2031z-dirty\n");
    assert_ok(sc_tzdb_version(version));
    assert_string_equal(version, "2031z-dirty");
    write_file(test_folder(), "tzdata.zi", "# version 2031z-dirty-and-far-too-long\n");
    write_file(test_folder(), "+VERSION", "\n");
    assert_err(sc_tzdb_version(version), SC_ENOTFOUND);
}

static void rule_year(const char *text, int year, int64_t first, bool first_to_daylight,
                      int64_t second)
{
    sc__tz_change changes[2];
    sc__tz_rule rule;

    assert_ok(sc__tz_rule_parse(sc_slice_of(text), &rule));
    sc__tz_rule_year(&rule, year, changes);
    if (changes[0].at_s != first || changes[1].at_s != second)
        fail_msg("%s in %d: %lld %lld, expected %lld %lld", text, year, (long long)changes[0].at_s,
                 (long long)changes[1].at_s, (long long)first, (long long)second);
    assert_int_equal(changes[0].to_daylight, first_to_daylight);
}

TEST(rules_are_read_in_all_their_forms)
{
    rule_year("CET-1CEST,M3.5.0,M10.5.0/3", 2026, 1774746000, true, 1792890000);
    rule_year("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2026, 1775314800, false, 1791041400);
    rule_year("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, 1774746000, true, 1792890000);
    rule_year("EET-2EEST,M4.5.5/0,M10.5.4/24", 2026, 1776981600, true, 1793307600);
    rule_year("IST-2IDT,M3.4.4/26,M10.5.0", 2026, 1774569600, true, 1792882800);
    /* J60 is always 1 March, 59 the 60th day of the year, counted from 0. */
    rule_year("AAA0BBB,J60/0,J365/23", 2024, 1709251200, true, 1735682400);
    rule_year("AAA0BBB,59/0,364/23", 2024, 1709164800, true, 1735596000);
    /* Daylight saving time all the year: it ends when it begins. */
    rule_year("EST5EDT,0/0,J365/25", 2025, 1735707600, true, 1767243600);
}

TEST(bad_rules_are_refused)
{
    static const char *const texts[] = {
        "",
        "CE",
        "CET",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0x",
        "CET-25",
        "<+1-1",
        "CET-1:60",
        "CET-1CEST,J0,J365",
        "CET-1CEST,366,1",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST",
        "ABCDEFGHIJKLMNOPQRST-1",
    };
    sc__tz_rule rule;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (sc__tz_rule_parse(sc_slice_of(texts[i]), &rule) != SC_ESYNTAX)
            fail_msg("\"%s\" was read", texts[i]);
}

TEST(files_that_are_cut_or_changed_never_do_harm)
{
    static char bytes[16384];
    size_t len = read_zone_file("/usr/share/zoneinfo/Europe/Berlin", bytes, sizeof(bytes));
    sc_zone *zone = NULL;

    for (size_t cut = 0; cut < len; cut++)
        assert_err(sc__tzif_parse((sc_slice){bytes, cut}, &zone), SC_ESYNTAX);
    for (size_t i = 0; i < len; i++) {
        char kept = bytes[i];

        bytes[i] = (char)~kept;
        if (sc__tzif_parse((sc_slice){bytes, len}, &zone) == SC_OK)
            sc_zone_close(zone);
        bytes[i] = kept;
    }
    assert_ok(sc__tzif_parse((sc_slice){bytes, len}, &zone));
    sc_zone_close(zone);
}
