package kemring

//go:generate sh -c "cd ../asm && go run ./kembytes -out ../kemring"
