package kemring

//go:generate sh -c "cd ../asm && go run ./kemneon -out ../kemring"
