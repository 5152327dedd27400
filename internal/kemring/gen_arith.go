package kemring

//go:generate sh -c "cd ../asm && go run ./kemarith -out ../kemring"
