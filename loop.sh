while IFS= read -r l; do eval "./pdb -q -d ./m2.db $l" >/dev/null 2>&1; done
