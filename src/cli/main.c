/* The program's entry. */
#include <storychain/base.h>

#include <stdio.h>

int main(void)
{
    puts(sc_version());
    return 0;
}
